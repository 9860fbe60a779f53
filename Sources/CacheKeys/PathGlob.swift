/// A set of paths an operator names: `/search`, `/v1/*` (one segment), `/v1/**` (any depth).
///
/// Patterns and paths are compared as raw bytes, nothing is decoded. `*` stands for one segment
/// that is not empty; `**`, last only, for one or more segments of which the last may be empty, so
/// `/v1/**` holds `/v1/` and `/v1/a/b` but not `/v1`. A path that an origin could read differently
/// than it is written (dot segments, escapes of dot, slash, backslash and NUL, a backslash, an
/// empty segment, control bytes) is in no set.
package struct PathGlob: Sendable {
    private enum Segment: Equatable {
        case literal([UInt8])
        case one
        case rest
    }

    /// The pattern as it was written.
    package let pattern: String
    private let segments: [Segment]

    /// Reads a pattern; the error says what is wrong with it and where.
    package init(_ pattern: String) throws(PathGlobError) {
        let bytes = [UInt8](pattern.utf8)
        guard bytes.first == PathBytes.slash else { throw .notAbsolute(pattern: pattern) }
        if let offset = bytes.firstIndex(where: { !PathBytes.isPatternByte($0) }) {
            throw .badByte(pattern: pattern, offset: offset, byte: bytes[offset])
        }
        if let offset = bytes.withUnsafeBufferPointer(PathBytes.firstAmbiguity) {
            throw .ambiguous(pattern: pattern, offset: offset)
        }
        var segments: [Segment] = []
        var offset = 1
        for part in bytes.dropFirst().split(
            separator: PathBytes.slash, omittingEmptySubsequences: false)
        {
            if segments.last == .rest {
                throw .restNotLast(pattern: pattern, offset: offset - 3)
            }
            switch part.filter({ $0 == PathBytes.star }).count {
            case 0: segments.append(.literal([UInt8](part)))
            case 1 where part.count == 1: segments.append(.one)
            case 2 where part.count == 2: segments.append(.rest)
            default: throw .partialStar(pattern: pattern, offset: offset)
            }
            offset += part.count + 1
        }
        self.pattern = pattern
        self.segments = segments
    }

    /// Whether this is `/**`, which holds every path.
    package var isEverything: Bool { segments == [.rest] }

    /// Whether `path`, the bytes of an origin-form target with or without its query, is in the set.
    ///
    /// What follows the first `?` plays no part.
    package func matches(path: some Collection<UInt8>) -> Bool {
        path.withContiguousStorageIfAvailable { holds($0) }
            ?? [UInt8](path).withUnsafeBufferPointer { holds($0) }
    }

    /// Whether `path`, an origin-form target with or without its query, is in the set.
    package func matches(path: some StringProtocol) -> Bool {
        matches(path: path.utf8)
    }

    private func holds(_ target: UnsafeBufferPointer<UInt8>) -> Bool {
        let path = UnsafeBufferPointer(rebasing: target.prefix { $0 != PathBytes.question })
        guard path.first == PathBytes.slash, PathBytes.firstAmbiguity(path) == nil else {
            return false
        }
        var start = 1
        for segment in segments {
            // One past the end means that the last segment is behind us.
            guard start <= path.count else { return false }
            if segment == .rest { return true }
            let rest = path[start...]
            let end = rest.firstIndex(of: PathBytes.slash) ?? path.count
            switch segment {
            case .literal(let bytes):
                guard rest[..<end].elementsEqual(bytes) else { return false }
            case .one, .rest:
                guard end > start else { return false }
            }
            start = end + 1
        }
        return start > path.count
    }
}

extension PathGlob: CustomStringConvertible {
    /// The pattern as it was written.
    package var description: String { pattern }
}
