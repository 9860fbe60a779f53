package import CacheKeys
import HTTPCaching
import HTTPTypes

extension FillRequest {
    /// Whether a stale stored response is validated instead of fetched anew: GET and QUERY; a
    /// declared POST is fetched anew, and a client's own preconditions go out untouched.
    var mayValidate: Bool {
        guard origin.fields[.ifNoneMatch] == nil, origin.fields[.ifModifiedSince] == nil else {
            return false
        }
        return facts.method == .get || facts.method == .query
    }

}

extension FieldLines {
    /// The key of the variant that this request selects (RFC 9111 §4.1); `nil` if a value cannot
    /// be part of a key.
    package func variantKey(
        names: [String], secret: CredentialSecret, credentialFields: [String], hasher: KeyHasher
    ) -> Digest? {
        let values = names.map { Vary.normalizedValue(name: $0, lines: lines(named: $0)) }
        return hasher.variantKey(
            names: names, values: values, secret: secret, extraCredentialFields: credentialFields)
    }
}

extension OriginRequest {
    /// Adds the stored response's validators exactly as received (RFC 9111 §4.3.1); `false` when
    /// it has none.
    mutating func addValidators(of stored: StoredResponse) -> Bool {
        let validators = Validation.validators(of: stored.entry.fields)
        if let tag = validators.ifNoneMatch { fields[.ifNoneMatch] = tag }
        if let date = validators.ifModifiedSince { fields[.ifModifiedSince] = date }
        return !validators.isEmpty
    }
}

extension HTTPResponse {
    /// The head as it is passed on: hop-by-hop fields removed, Via appended (RFC 9110 §7.6).
    func forwarded(via name: String, receivedAt time: EpochSeconds) -> HTTPResponse {
        var head = self
        head.headerFields =
            HopByHop.removed(from: headerFields).forwarded(via: name, receivedAt: time)
        return head
    }
}

extension HTTPFields {
    /// With our Via appended, and Date if the origin gave none (RFC 9110 §6.6.1).
    func forwarded(via name: String, receivedAt time: EpochSeconds) -> HTTPFields {
        var fields = self
        if fields[values: .date].isEmpty {
            fields.append(HTTPField(name: .date, value: HTTPDate.format(time)))
        }
        fields.append(HTTPField(name: .via, value: "1.1 \(name)"))
        return fields
    }
}

extension Engine {
    /// The key of the variant that a request's fields select, with a hasher of its own: off the
    /// hit path, and on any thread.
    func variantKey(of fields: any FieldLines, names: [String]) -> Digest? {
        guard let hasher = try? KeyHasher() else { return nil }
        return fields.variantKey(
            names: names, secret: secret, credentialFields: configuration.credentialFields,
            hasher: hasher)
    }

    func variant(of request: FillRequest, names: [String]) -> Variant {
        guard !names.isEmpty else { return .none }
        return Variant(names: names, key: variantKey(of: request.fields, names: names))
    }

    func durableQuery(of request: FillRequest) -> EntryQuery {
        let identity = request.identity
        let fields = request.fields
        return EntryQuery(
            primaryKey: identity.primaryKey, uriKey: identity.uriKey, material: identity.material,
            variantKey: { [self] in variantKey(of: fields, names: $0) })
    }

    /// A pending put that answers this request: readable until its commit has returned.
    func pendingResponse(for request: FillRequest) -> StoredResponse? {
        let pending = writes.pending(request.identity.primaryKey)
        guard !pending.isEmpty else { return nil }
        let chosen = pending.selected { variantKey(of: request.fields, names: $0) }
        guard let chosen, generation(of: chosen.uriKey) == chosen.generation else { return nil }
        return chosen
    }
}
