package import HTTPCaching
package import NIOCore

/// A piece of the content of an answer that is made of a stored response.
package enum BodySegment: Sendable, Equatable {
    /// What stands around the parts of a multipart answer.
    case text(ByteBuffer)
    /// Bytes of the stored content, counted from its start.
    case stored(Range<Int64>)
}

/// What a client's answer takes of a stored response.
package enum StoredUse: Sendable, Equatable {
    /// No content: the answer to HEAD, a 304, a 416.
    case head
    /// These pieces, in order.
    case content([BodySegment])
    /// It does not do: the origin is to be asked, with the request's conditions and range.
    case forward(ForwardReason)
}
