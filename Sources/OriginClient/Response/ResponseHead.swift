import CacheEngine
import HTTPTypes
import NIOHTTP1

/// An answer's head after the checks that the decoder leaves to us.
struct ResponseHead {
    let response: HTTPResponse
    let framing: OriginFraming
    /// Whether the origin leaves the connection open after this message.
    let keepsAlive: Bool

    /// Checks a head and converts it, fields in order and with the names as sent.
    static func read(
        _ head: HTTPResponseHead, isHeadRequest: Bool
    ) -> Result<ResponseHead, OriginError> {
        // RFC 9112 §4: a status is three digits, of which the first is 1 to 5 (RFC 9110 §15).
        let status = Int(head.status.code)
        guard (100...599).contains(status) else { return .failure(.malformed("status")) }
        guard head.version == .http1_1 || head.version == .http1_0 else {
            return .failure(.malformed("version"))
        }
        var framing = FramingFields(isVersion11: head.version == .http1_1)
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        for (rawName, rawValue) in head.headers {
            guard let name = HTTPField.Name(rawName) else { return .failure(.malformed("name")) }
            guard let value = validValue(rawValue) else { return .failure(.malformed("value")) }
            if let error = framing.note(name.canonicalName, value) { return .failure(error) }
            fields.append(HTTPField(name: name, value: value))
        }
        return framing.decide(status: status, isHeadRequest: isHeadRequest).map { decided in
            ResponseHead(
                response: HTTPResponse(
                    status: .init(code: status, reasonPhrase: head.status.reasonPhrase),
                    headerFields: fields),
                framing: decided, keepsAlive: framing.keepsAlive)
        }
    }

    /// Trailer fields in order; what is no field is left out, as all of them may be
    /// (RFC 9110 §6.5.1).
    static func trailers(_ trailers: HTTPHeaders) -> HTTPFields {
        var fields = HTTPFields()
        for (rawName, rawValue) in trailers {
            guard let name = HTTPField.Name(rawName), let value = validValue(rawValue) else {
                continue
            }
            fields.append(HTTPField(name: name, value: value))
        }
        return fields
    }

    /// RFC 9110 §5.5: space around a value is no part of it; nothing else is repaired.
    private static func validValue(_ value: String) -> String? {
        if HTTPField.isValidValue(value) { return value }
        let trimmed = String(ASCII.trimmed(Substring(value)))
        return HTTPField.isValidValue(trimmed) ? trimmed : nil
    }
}

/// What the fields of a head say about the end of the body and of the connection.
private struct FramingFields {
    let isVersion11: Bool
    private var length: Int64?
    private var isChunked = false
    private var saysClose = false
    private var saysKeepAlive = false

    init(isVersion11: Bool) {
        self.isVersion11 = isVersion11
    }

    // RFC 9112 §9.3
    var keepsAlive: Bool { !saysClose && (isVersion11 || saysKeepAlive) }

    /// Takes one field in; returns why it cannot be.
    mutating func note(_ canonicalName: String, _ value: String) -> OriginError? {
        switch canonicalName.utf8.count {
        case 10 where canonicalName == "connection", 16 where canonicalName == "proxy-connection":
            noteConnection(value)
        case 14 where canonicalName == "content-length":
            // RFC 9112 §6.3: several lengths, even equal ones, are one too many for us.
            guard length == nil, let parsed = Self.length(value) else {
                return .malformed("Content-Length")
            }
            length = parsed
        case 17 where canonicalName == "transfer-encoding":
            // RFC 9112 §6.1: nothing but chunked, once, and never in HTTP/1.0.
            guard !isChunked, isVersion11, ASCII.equals(Substring(value), "chunked") else {
                return .malformed("Transfer-Encoding")
            }
            isChunked = true
        default: break
        }
        return nil
    }

    // RFC 9112 §6.3
    func decide(status: Int, isHeadRequest: Bool) -> Result<OriginFraming, OriginError> {
        if isChunked && length != nil { return .failure(.malformed("two lengths")) }
        if isHeadRequest || status < 200 || status == 204 || status == 304 {
            return .success(.none)
        }
        if isChunked { return .success(.chunked) }
        return .success(length.map(OriginFraming.length) ?? .closeDelimited)
    }

    private mutating func noteConnection(_ value: String) {
        for part in value.split(separator: ",") {
            let token = ASCII.trimmed(part)
            if ASCII.equals(token, "close") { saysClose = true }
            if ASCII.equals(token, "keep-alive") { saysKeepAlive = true }
        }
    }

    /// Digits only, at most 19 of them.
    private static func length(_ value: String) -> Int64? {
        guard (1...19).contains(value.utf8.count), value.utf8.allSatisfy(ASCII.isDigit) else {
            return nil
        }
        return Int64(value)
    }
}
