/// The request fields by which callers say who they are.
package enum CredentialFields {
    /// Lower-case names that always count as credentials; the operator adds more.
    package static let standard: [String] = [
        "authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "x-auth-token",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
        "x-amz-security-token",
        "cf-access-jwt-assertion",
    ]

    /// Whether a field, its name and `extra` in lower case, carries a credential.
    package static func isCredential(_ lowerName: String, extra: [String]) -> Bool {
        standard.contains { hasSameBytes($0, lowerName) }
            || extra.contains { hasSameBytes($0, lowerName) }
    }

    /// Compares bytes: `==` on strings would also equate different spellings of a character.
    private static func hasSameBytes(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
    }
}
