import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// An answer of the Cache API that is not a stored response.
struct CacheReply: Equatable {
    var status: HTTPResponse.Status
    /// CF-Cache-Status, Larder-Put, Cache-Status.
    var fields: [String: String] = [:]
    var mediaType = ""
    var content = ""
    /// For the log, where a match was looked for.
    var result: CacheStatus?

    /// A match without a result: the one form that the workers' runtime takes for it.
    static func miss(_ reason: ForwardReason, detail: String? = nil) -> CacheReply {
        let status = CacheStatus(result: .forwarded(reason), detail: detail)
        return CacheReply(
            status: .gatewayTimeout,
            fields: ["CF-Cache-Status": "MISS", "Cache-Status": status.serialized()],
            result: status)
    }

    /// What became of a put; Larder-Put says it in a form for programs.
    static func put(_ result: CachePutResult, detail: String? = nil) -> CacheReply {
        switch result {
        case .stored(let seconds):
            return CacheReply(
                status: .noContent, fields: ["Larder-Put": "stored; ttl=\(seconds)"])
        case .refused(let reason):
            var reply = problem(.contentTooLarge, detail ?? "not stored: \(reason.rawValue)")
            reply.fields["Larder-Put"] = "refused; reason=\(reason.rawValue)"
            return reply
        }
    }

    /// What became of a deletion.
    static func purge(_ result: Result<Bool, CacheFailure>) -> CacheReply {
        switch result {
        case .success(let wasThere): CacheReply(status: wasThere ? .ok : .notFound)
        case .failure(let failure): self.failure(failure)
        }
    }

    static func failure(_ failure: CacheFailure) -> CacheReply {
        switch failure {
        case .unreadable: problem(.internalServerError, "the store cannot be read")
        case .notWritten:
            problem(
                .internalServerError,
                "not all that was put or deleted is in the file, or not yet; the log says more")
        case .unkeyed: problem(.badRequest, "no key can be made of the request")
        }
    }

    /// Problem details (RFC 9457).
    static func problem(_ status: HTTPResponse.Status, _ detail: String) -> CacheReply {
        let document = JSONValue.object([
            ("status", .number(status.code)), ("title", .string(status.reasonPhrase)),
            ("detail", .string(detail)),
        ])
        return CacheReply(
            status: status, mediaType: "application/problem+json",
            content: document.serialized + "\n")
    }

    static func json(_ value: JSONValue) -> CacheReply {
        CacheReply(status: .ok, mediaType: "application/json", content: value.serialized + "\n")
    }

    func rendered(keepsAlive: Bool, isHTTP10: Bool, isHead: Bool) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 256 + content.utf8.count)
        buffer.writeStatusLine(status)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            buffer.writeString("\(name): \(value)\r\n")
        }
        if !mediaType.isEmpty {
            buffer.writeField("Content-Type", mediaType)
            buffer.writeField("Cache-Control", "no-store")
        }
        // RFC 9110 §8.6: never with 204.
        if status.code != 204 {
            buffer.writeField("Content-Length", String(content.utf8.count))
        }
        buffer.writeConnection(keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        buffer.writeStaticString("\r\n")
        if !isHead { buffer.writeString(content) }
        return buffer
    }
}
