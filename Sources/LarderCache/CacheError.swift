import CacheEngine
import HTTPTypes

/// Why an operation on a cache could not be carried out.
///
/// What is stored is as it was, except for ``notWritten``.
public enum CacheError: Error, Sendable, Equatable {
    /// The file cannot be opened: another instance has it, or it is no Larder file.
    case cannotOpen(String)
    /// The request names no absolute URL with a host, or one that is longer than 128 KiB.
    case invalidURL(String)
    /// The name of a cache has 1024 bytes or more, or a NUL in it.
    case invalidName(String)
    /// A response is put for a GET only.
    case methodNotCacheable(String)
    /// A part of a representation (206) cannot be put.
    case partialContent
    /// A response with `Vary: *` matches no later request.
    case varyStar
    /// `add` and `addAll`: the response's status is not 200 to 299.
    case badStatus(Int)
    /// `addAll`: two of the requests find the same response.
    case duplicateRequests
    /// `add` and `addAll`: a response is not stored.
    case refused(PutRefusal)
    /// A tag that no response can have.
    case invalidTag
    /// The sequence of a body threw; its words.
    case bodyFailed(String)
    /// The body is longer than the caller takes.
    case bodyTooLong(limit: Int)
    /// The file, or a part of a body in it, cannot be read.
    case unreadable
    /// Something is not in the file: a deletion holds and will be there; what was put is lost to it
    /// where the disk is full, and found in memory only.
    case notWritten
    /// No key can be made: a part of the request is not UTF-8, or libcrypto failed.
    case unkeyable

    init(_ failure: CacheFailure) {
        switch failure {
        case .unreadable: self = .unreadable
        case .notWritten: self = .notWritten
        case .unkeyed: self = .unkeyable
        }
    }
}

/// What became of a put.
public enum PutResult: Sendable, Equatable {
    /// Every match finds it from now on, for so long.
    case stored(lifetime: Duration)
    /// It was not stored, and why; what was stored before is still there.
    case refused(PutRefusal)

    /// Whether it was stored.
    public var isStored: Bool { if case .stored = self { true } else { false } }
}

/// Why a response was not stored; the raw value is the word of RFC 9211's `detail`.
public enum PutRefusal: String, Sendable, CaseIterable {
    /// The response says `no-store`.
    case noStore = "no-store"
    /// The response says `private`.
    case `private`
    /// The response says `no-cache`.
    case noCache = "no-cache"
    /// No response with this status is stored, or not without a lifetime.
    case status
    /// The request has Authorization, and nothing in the response lets others have it
    /// (RFC 9111 §3.5).
    case credentials
    /// The response sets a cookie.
    case setCookie = "set-cookie"
    /// The response has no lifetime left, or names none and there is no default for its status.
    case noLifetime = "no-lifetime"
    /// Vary names more fields than are kept.
    case varyTooLarge = "vary-too-large"
    /// The body is larger than the largest that is stored.
    case bodyLimit = "body-limit"
    /// The response cannot be one: a protocol switch, content that contradicts its head.
    case malformed
    /// A deletion came between the beginning of the put and its end.
    case invalidated
    /// A field that the response varies by has a value that no key can be made of.
    case unkeyed
    /// Memory, the queue or the disk was too busy for too long.
    case overload
}
