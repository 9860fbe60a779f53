import CacheKeys
import Testing

@Suite struct CredentialFieldsTests {
    @Test(arguments: [
        "authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-goog-api-key",
        "ocp-apim-subscription-key", "x-amz-security-token", "cf-access-jwt-assertion",
    ])
    func standardNames(_ name: String) {
        #expect(CredentialFields.isCredential(name, extra: []))
        #expect(CredentialFields.standard.contains(name))
    }

    @Test(arguments: ["", "accept", "set-cookie", "cookie2", "cooki", "x-api-key ", "xapikey"])
    func otherNames(_ name: String) {
        #expect(!CredentialFields.isCredential(name, extra: []))
        #expect(!CredentialFields.isCredential(name, extra: ["x-tenant-token"]))
    }

    @Test func namesTheOperatorAdds() {
        #expect(CredentialFields.isCredential("x-tenant-token", extra: ["a", "x-tenant-token"]))
        #expect(!CredentialFields.isCredential("caf\u{E9}", extra: ["cafe\u{301}"]))
    }

    @Test func standardNamesAreInNormalForm() {
        for name in CredentialFields.standard {
            #expect(name == name.lowercased())
        }
        #expect(Set(CredentialFields.standard).count == CredentialFields.standard.count)
    }
}
