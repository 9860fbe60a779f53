import HTTPCaching
import HTTPTypes
import NIOCore

/// The part of a representation that a 206 brings.
struct ReceivedPart {
    /// As received.
    var fields: HTTPFields
    var part: RepresentationPart

    /// Nil for what is no 206, or does not say which bytes it has.
    init?(_ head: HTTPResponse) {
        guard head.status.code == 206, let part = PartialContent.part(in: head.headerFields) else {
            return nil
        }
        fields = head.headerFields
        self.part = part
    }
}

/// The rest of a stored part on its way.
struct RestOfPart {
    var received: ReceivedPart
    var responseTime: EpochSeconds
    var bytes = ByteBuffer()
    let charge: BudgetCharge
}

/// Stored parts (RFC 9111 §3.3, §3.4): what is asked for beside them, and what is made of both.
extension Fill {
    /// Adds to a request what makes its answer cheaper for having a stored response.
    func ask(_ outgoing: inout OriginRequest, about stored: StoredResponse) -> Validating {
        guard let part = stored.entry.part else {
            return outgoing.validate(stored, for: request)
        }
        // A 304 to the client's own conditions says nothing about a part.
        guard !outgoing.fields.contains(.ifNoneMatch), !outgoing.fields.contains(.ifModifiedSince)
        else { return .none }
        if request.isAnswered(by: stored.entry) { return outgoing.validate(stored, for: request) }
        guard !isRestRefused, engine.isCurrent(stored),
            request.facts.method == .get || request.facts.method == .query,
            stored.entry.body.bytes != nil,
            let rest = PartialContent.rest(of: request.ranges(of: stored.entry), having: part),
            mayHold(rest, beside: part),
            let validator = IfRange.fieldValue(for: stored.entry.fields)
        else { return .none }
        outgoing.fields[.range] = rest.fieldValue
        outgoing.fields[.ifRange] = validator
        return .rest
    }

    /// Whether both together are small enough to be one piece, as far as that is known.
    private func mayHold(_ rest: RangeSpec, beside part: RepresentationPart) -> Bool {
        guard case .int(let first, let last) = rest else { return false }
        let end = last ?? part.completeLength.map { $0 - 1 } ?? part.range.last
        guard let range = ByteRange(first: first, last: max(first, end)),
            let both = part.range.union(range)
        else { return false }
        return both.count <= Int64(engine.inlineLimit)
    }

    /// Whether an answer may be stored, and how; what is stored whole stays whole.
    func streamingPlan(
        _ head: HTTPResponse, framing: OriginFraming, responseTime: EpochSeconds
    ) -> Result<StoragePlan, NoStoreReason> {
        let plan = storagePlan(
            status: head.status.code, fields: head.headerFields, framing: framing,
            responseTime: responseTime)
        guard case .success(let kept) = plan, kept.part != nil else { return plan }
        if mayHideWhole { return .failure(.partial) }
        var isCompanion = false
        if let candidate {
            guard let held = candidate.entry.part else { return .failure(.partial) }
            isCompanion =
                PartialContent.combined(
                    stored: candidate.entry.fields, held: held, received: head.headerFields) != nil
        }
        // RFC 9110 §15.3.7: who asks with If-Range has the other fields, and they may be left out
        let isSparse =
            request.origin.fields.contains(.ifRange) && !head.headerFields.contains(.contentType)
        return isSparse && !isCompanion ? .failure(.partial) : plan
    }

    // MARK: Completing

    /// Whether the answer to a request for the rest of a part is the client's; else the rest is
    /// waited for, or all is asked for anew.
    func answers(_ head: HTTPResponse, insteadOfRestOf stored: StoredResponse) -> Bool {
        // The representation has changed, or the origin knows no ranges.
        if head.status.code == 200 { return true }
        guard let received = ReceivedPart(head), completes(stored, received) else {
            fetchWithoutRest()
            return false
        }
        phase = .completing
        leader = nil
        rest = RestOfPart(
            received: received, responseTime: engine.clock.now(),
            charge: BudgetCharge(engine.budget))
        return false
    }

    /// Whether both parts together are what the request asks for and can be one piece.
    private func completes(_ stored: StoredResponse, _ received: ReceivedPart) -> Bool {
        guard let held = stored.entry.part,
            let extent = PartialContent.combined(
                stored: stored.entry.fields, held: held, received: received.fields),
            let both = held.range.union(received.part.range),
            both.count <= Int64(engine.inlineLimit)
        else { return false }
        var entry = stored.entry
        entry.set(extent)
        return request.isAnswered(by: entry)
    }

    func take(rest bytes: ByteBuffer) {
        guard var rest else { return fetchWithoutRest() }
        self.rest = nil
        rest.bytes.writeImmutableBuffer(bytes)
        guard rest.bytes.readableBytes <= rest.received.part.range.count else {
            return fetchWithoutRest()
        }
        rest.charge.set(rest.bytes.storageCapacity)
        self.rest = rest
    }

    /// The rest has come: both parts are the answer.
    func complete() {
        exchange = nil
        guard let rest, let candidate, engine.isCurrent(candidate),
            let union = union(
                of: candidate, and: rest.received, rest.bytes, responseTime: rest.responseTime)
        else { return fetchWithoutRest() }
        let response = engine.makeResponse(
            union.entry, generation: generation, groupStamp: groupStamp,
            epoch: engine.currentEpoch)
        var status = CacheStatus(result: .forwarded(reason), forwardStatus: 206)
        switch union.plan {
        case .success(let plan):
            status.ttl = plan.terms.ttl(at: engine.clock.now())
            let outcome = engine.store(response, isFreshen: false, replacesRow: true)
            status.isStored = outcome == .queued
            answer(stored: response, status)
        case .failure(let why):
            // It may be answered with once, but not kept.
            status.detail = why.rawValue
            if !why.leavesStored { engine.discard(candidate) }
            answer(stored: response, status, isShared: false)
        }
    }

    /// Asks anew for what the client asks for; the part may still be combined with what comes.
    func fetchWithoutRest() {
        exchange?.cancel()
        exchange = nil
        rest = nil
        isRestRefused = true
        fetch()
    }

    // MARK: Combining

    /// A stored part and the one that came as one response, and whether that may be stored; `nil`
    /// when they do not belong together, or are too large for one piece.
    func union(
        of stored: StoredResponse, and received: ReceivedPart, _ bytes: ByteBuffer,
        responseTime: EpochSeconds
    ) -> (entry: StoredEntry, plan: Result<StoragePlan, NoStoreReason>)? {
        guard engine.isCurrent(stored), let held = stored.entry.part,
            let extent = PartialContent.combined(
                stored: stored.entry.fields, held: held, received: received.fields),
            let heldBytes = stored.entry.body.bytes,
            let body = PartBytes(range: held.range, bytes: heldBytes)?.joined(
                with: PartBytes(range: received.part.range, bytes: bytes),
                limit: engine.inlineLimit)
        else { return nil }
        var fields = freshenedFields(of: stored, by: received.fields)
        // They are of a part alone. RFC 9530 §2
        for name in Self.digestsOfContent { fields[fields: name] = [] }
        var entry = stored.entry
        entry.set(extent)
        entry.body = .whole(body)
        entry.fields = fields.dated(responseTime)
        entry.requestTime = requestTime
        entry.responseTime = responseTime
        entry.requestContent = request.keptContent
        var facts = request.facts
        // What the client asked of both is answered with a part of them at most.
        facts.hasRange = false
        var plan = storagePlan(
            for: facts, status: 200, fields: fields, framing: .none, responseTime: responseTime)
        if case .success(let kept) = plan {
            if kept.vary == stored.variant.names {
                entry.fields = kept.fields.dated(responseTime)
                entry.terms = kept.terms
            } else {
                plan = .failure(.partial)
            }
        }
        return (entry, plan)
    }

    private static let digestsOfContent = ["Content-Digest", "Content-MD5"]
        .compactMap { HTTPField.Name($0) }
}

/// Bytes and their place in the whole.
struct PartBytes {
    let range: ByteRange
    private let bytes: ByteBuffer

    /// Nil when these are not so many.
    init?(range: ByteRange, bytes: ByteBuffer) {
        guard Int64(bytes.readableBytes) == range.count else { return nil }
        self.range = range
        self.bytes = bytes
    }

    /// Both in order, what is in both once; `nil` when there is a gap or they are more than `limit`.
    func joined(with other: PartBytes?, limit: Int) -> ByteBuffer? {
        guard let other, let both = range.union(other.range), both.count <= Int64(limit) else {
            return nil
        }
        let (front, back) = range.first <= other.range.first ? (self, other) : (other, self)
        var joined = ByteBufferAllocator().buffer(capacity: Int(both.count))
        joined.writeImmutableBuffer(front.bytes)
        // Not negative: there is no gap.
        let overlap = front.range.last + 1 - back.range.first
        guard overlap < back.range.count else { return joined }
        var tail = back.bytes
        tail.moveReaderIndex(forwardBy: Int(overlap))
        joined.writeImmutableBuffer(tail)
        return joined
    }
}

extension StoredEntry {
    fileprivate mutating func set(_ extent: StoredExtent) {
        switch extent {
        case .whole:
            status = .ok
            part = nil
        case .part(let held):
            status = .partialContent
            part = held
        }
    }
}

extension FillRequest {
    /// The request's own conditions and range.
    private var conditions: RequestConditions {
        var conditions = RequestConditions()
        let fields = origin.fields
        conditions.ifMatch = fields[values: .ifMatch]
        conditions.ifNoneMatch = fields[values: .ifNoneMatch]
        conditions.ifModifiedSince = fields[values: .ifModifiedSince]
        conditions.ifUnmodifiedSince = fields[values: .ifUnmodifiedSince]
        conditions.ifRange = fields[values: .ifRange]
        conditions.range = fields[values: .range]
        return conditions
    }

    /// Whether a stored response has what this request asks for; only a part may lack it.
    func isAnswered(by entry: StoredEntry) -> Bool {
        guard entry.part != nil else { return true }
        guard facts.hasRange else { return false }
        let answer = StoredAnswer.evaluate(
            method: facts.method, conditions: conditions, status: entry.status.code,
            stored: entry.fields, storedDate: entry.terms.dateValue, extent: entry.extent)
        if case .forward = answer { return false }
        return true
    }

    /// The ranges that count against a stored response; `nil` when the whole is asked for.
    fileprivate func ranges(of entry: StoredEntry) -> [RangeSpec]? {
        let conditions = conditions
        guard IfRange.holds(conditions.ifRange, stored: entry.fields) else { return nil }
        return RangeSpec.parse(conditions.range)
    }
}
