package import HTTPTypes

/// Stored parts, and the 206 made from what is stored (RFC 9110 §15.3.7, RFC 9111 §3.3, §3.4).
package enum PartialContent {
    /// Fields that are true of the whole message only. RFC 9110 §15.3.7; RFC 9530 §2
    private static let wholeMessageFields: Set<String> = [
        "content-digest", "content-length", "content-md5", "content-range",
    ]

    /// The fields of a 206 cut from a stored response, without Content-Length.
    ///
    /// - Parameter part: what follows as the content; nil for multipart/byteranges, whose
    ///   Content-Type is the caller's and which has no Content-Range.
    package static func fields(from stored: HTTPFields, part: RepresentationPart?) -> HTTPFields {
        var fields = HTTPFields()
        for field in stored where !wholeMessageFields.contains(field.name.canonicalName) {
            if part == nil, field.name == .contentType { continue }
            fields.append(field)
        }
        if let part {
            fields.append(
                HTTPField(name: .contentRange, value: ContentRange.part(part).fieldValue))
        }
        return fields
    }

    /// The part of the whole that a 206 says it brings; nil when what it brings is not one run of
    /// bytes of the length that it announces. RFC 9110 §15.3.7.1
    package static func part(in fields: HTTPFields) -> RepresentationPart? {
        guard case .part(let part) = ContentRange(fields[values: .contentRange]) else { return nil }
        let lengths = fields[values: .contentLength]
        guard !lengths.isEmpty else { return part }
        return FieldSyntax.singleton(lengths) == String(part.range.count) ? part : nil
    }

    /// The range to ask for so that it and the stored part make up what was asked for: nil when
    /// nothing is missing or the part saves nothing. RFC 9111 §3.3
    ///
    /// Ask with `IfRange.fieldValue(for:)`; without one, do not ask for a rest.
    /// - Parameters:
    ///   - specs: the request's ranges; nil when it wants the whole.
    ///   - part: what is stored.
    package static func rest(
        of specs: [RangeSpec]?, having part: RepresentationPart
    ) -> RangeSpec? {
        guard let wanted = wanted(specs, of: part) else { return nil }
        let held = part.range
        if let last = wanted.last, held.contains(wanted.first), last <= held.last { return nil }
        if held.contains(wanted.first) {
            let isToTheEnd = wanted.last.map { $0 == part.completeLength.map { $0 - 1 } } ?? true
            return .int(first: held.last + 1, last: isToTheEnd ? nil : wanted.last)
        }
        guard let last = wanted.last, held.contains(last) else { return nil }
        return .int(first: wanted.first, last: held.first - 1)
    }

    /// The run that one range, or none, asks for; `last` is nil for an end nobody knows.
    private static func wanted(
        _ specs: [RangeSpec]?, of part: RepresentationPart
    ) -> (first: Int64, last: Int64?)? {
        guard let specs else { return (0, part.completeLength.map { $0 - 1 }) }
        guard specs.count == 1, let spec = specs.first else { return nil }
        if let completeLength = part.completeLength {
            return spec.resolved(completeLength: completeLength).map { ($0.first, $0.last) }
        }
        guard case .int(let first, let last) = spec else { return nil }
        return (first, last)
    }

    /// Both parts as one; nil unless both are surely of the same bytes and touch.
    /// RFC 9111 §3.4
    ///
    /// The fields of the combined response are the stored ones freshened by the new ones.
    /// - Parameters:
    ///   - stored: the stored response's fields.
    ///   - held: what of it is stored.
    ///   - received: the 206's fields.
    package static func combined(
        stored: HTTPFields, held: RepresentationPart, received: HTTPFields
    ) -> StoredExtent? {
        // RFC 9111 §3.4: they share the same strong validator
        guard let validator = StrongValidator(of: stored),
            validator == StrongValidator(of: received), let part = part(in: received),
            let range = held.range.union(part.range)
        else { return nil }
        // RFC 9110 §15.3.7.3: parts of one representation agree on its length
        if let mine = held.completeLength, let theirs = part.completeLength, mine != theirs {
            return nil
        }
        return RepresentationPart(
            range: range, completeLength: part.completeLength ?? held.completeLength
        ).map { StoredExtent($0) }
    }
}
