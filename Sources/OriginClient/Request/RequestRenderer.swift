import CacheEngine
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Makes the head that goes to the origin.
struct RequestRenderer: Sendable {
    let address: OriginAddress
    let preserveHost: Bool

    /// The head with Host first, the fields as given and our own framing, or why there is none.
    func head(for request: OriginRequest) -> Result<HTTPRequestHead, OriginError> {
        // RFC 9110 §9.3.6: CONNECT asks for a tunnel, and an answer to it has no body we know.
        guard request.method != .connect else { return .failure(.malformed("CONNECT")) }
        guard let target = target(of: request) else { return .failure(.malformed("target")) }
        let host = preserveHost ? request.clientAuthority : address.authority
        guard !host.isEmpty, host.utf8.allSatisfy(ASCII.isTargetByte) else {
            return .failure(.malformed("authority"))
        }
        var headers = HTTPHeaders()
        headers.reserveCapacity(request.fields.count + 2)
        headers.add(name: "Host", value: host)
        for field in request.fields where !Self.isOurs(field.name.canonicalName) {
            headers.add(name: field.name.rawName, value: field.value)
        }
        switch request.body {
        case .buffered(let body) where body.readableBytes > 0:
            headers.add(name: "Content-Length", value: String(body.readableBytes))
        case .spooled(let content):
            headers.add(name: "Content-Length", value: String(content.length))
        case .none, .buffered:
            // RFC 9110 §8.6: a method that anticipates content says that there is none.
            if Self.anticipatesContent(request.method) {
                headers.add(name: "Content-Length", value: "0")
            }
        case .streamed(let length?):
            guard length >= 0 else { return .failure(.malformed("request length")) }
            headers.add(name: "Content-Length", value: String(length))
        case .streamed(nil):
            headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        return .success(
            HTTPRequestHead(
                version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue),
                uri: target, headers: headers))
    }

    /// The target with the origin's path before it; `nil` where it could break the request line.
    private func target(of request: OriginRequest) -> String? {
        let target = request.target
        guard target.utf8.allSatisfy(ASCII.isTargetByte) else { return nil }
        if target.utf8.first == UInt8(ascii: "/") {
            return address.pathPrefix.isEmpty ? target : address.pathPrefix + target
        }
        // RFC 9112 §3.2.4
        return target == "*" && request.method == .options ? target : nil
    }

    private static func anticipatesContent(_ method: HTTPRequest.Method) -> Bool {
        switch method.rawValue {
        case "POST", "PUT", "PATCH", "QUERY": true
        default: false
        }
    }

    /// Fields of the connection, which only this side may set.
    static func isOurs(_ canonicalName: String) -> Bool {
        switch canonicalName.utf8.count {
        case 2: canonicalName == "te"
        case 4: canonicalName == "host"
        // RFC 9110 §10.1.1: nothing here would wait for the 100.
        case 6: canonicalName == "expect"
        case 7: canonicalName == "upgrade"
        case 10: canonicalName == "connection" || canonicalName == "keep-alive"
        case 14: canonicalName == "content-length"
        case 16: canonicalName == "proxy-connection"
        case 17: canonicalName == "transfer-encoding"
        default: false
        }
    }
}
