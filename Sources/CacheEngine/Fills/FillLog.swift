import NIOCore
import Synchronization

/// What a fill shares with its readers: the log, and whom to wake on which loop.
///
/// The fill writes it on its own loop; cursors read it on theirs. What crosses loops is one wake-up
/// for each loop with waiting cursors. Callable from any thread unless it says otherwise.
final class FillLog: Sendable {
    private struct Listeners {
        var audience: FillAudience
        /// A wake-up is on its way.
        var isWaking = false
    }

    private struct State {
        var log: FillLogState
        var audiences: [Listeners] = []
        /// On the fill's own loop.
        var local: FillAudience?
        var isAttentionDue = false
        /// Seconds; when the head or bytes came last.
        var lastProgress: Int64 = 0
    }

    /// The fill's.
    let loop: any EventLoop
    private let budget: MemoryBudget
    private let pins: BodyPins
    private let state: Mutex<State>
    /// The URI's when the fill began to ask.
    private let begunAt: Atomic<UInt64>
    /// Tells the fill, on its loop, to look at its readers.
    private let attention = Mutex<(@Sendable () -> Void)?>(nil)

    init(
        loop: any EventLoop, budget: MemoryBudget, pins: BodyPins, limits: FillLogState.Limits,
        generation: UInt64
    ) {
        self.loop = loop
        self.budget = budget
        self.pins = pins
        begunAt = Atomic(generation)
        state = Mutex(State(log: FillLogState(limits: limits)))
    }

    deinit {
        let (held, body) = state.withLock { ($0.log.windowBytes, $0.log.body) }
        if held > 0 { budget.release(held) }
        if let body { pins.unpin(body) }
    }

    var generation: UInt64 {
        get { begunAt.load(ordering: .acquiring) }
        set { begunAt.store(newValue, ordering: .releasing) }
    }

    // MARK: The fill's side

    /// - Parameter call: called on the fill's loop, at most once a turn.
    func onAttention(_ call: (@Sendable () -> Void)?) {
        attention.withLock { $0 = call }
    }

    /// - Parameter now: seconds; when a head came.
    func open(_ opening: FillLogState.Opening, now: Int64 = 0) {
        state.withLock { $0.lastProgress = now }
        change { $0.open(opening) }
    }

    /// - Parameter body: whose rows are read by cursors that are behind; given once, pinned until
    ///   the log is gone.
    func keep(_ keeping: FillLogState.Keeping, body: BodyID? = nil) {
        if let body { pins.pin(body) }
        change { log in
            log.keep(keeping, body: body)
            return Woken()
        }
    }

    /// Takes bytes in and wakes who waits for them; `now` in seconds.
    func append(_ bytes: ByteBuffer, now: Int64) {
        change(now: now) { $0.append(bytes) }
    }

    func end(_ ending: FillLogState.Ending) { change { $0.end(ending) } }

    func cutSlowest() { change { $0.cutSlowest() } }

    /// A change that wakes nobody.
    func update<T: Sendable>(_ body: (inout FillLogState) -> T) -> T {
        let (result, delta) = state.withLock { state -> (T, Int) in
            let before = state.log.windowBytes
            let result = body(&state.log)
            return (result, state.log.windowBytes - before)
        }
        charge(delta)
        return result
    }

    private func change(now: Int64? = nil, _ body: (inout FillLogState) -> Woken) {
        let (woken, delta, isLocal) = state.withLock { state -> ([FillAudience], Int, Bool) in
            let before = state.log.windowBytes
            if let now { state.lastProgress = now }
            var others: [FillAudience] = []
            var isLocal = false
            for index in body(&state.log) where state.audiences.indices.contains(index) {
                let audience = state.audiences[index].audience
                // On the fill's own loop there is nothing to wait for.
                if audience === state.local {
                    isLocal = true
                } else if !state.audiences[index].isWaking {
                    state.audiences[index].isWaking = true
                    others.append(audience)
                }
            }
            return (others, state.log.windowBytes - before, isLocal)
        }
        charge(delta)
        if isLocal { state.withLock { $0.local }?.wake() }
        for audience in woken {
            audience.loop.execute { [self] in
                didWake(audience)
                audience.wake()
            }
        }
    }

    private func didWake(_ audience: FillAudience) {
        state.withLock { state in
            guard
                let index = state.audiences.firstIndex(where: { $0.audience === audience })
            else { return }
            state.audiences[index].isWaking = false
        }
    }

    private func charge(_ delta: Int) {
        if delta > 0 { budget.charge(delta) }
        if delta < 0 { budget.release(-delta) }
    }

    // MARK: The cursors' side

    /// Adds a cursor, unless there are `limit`, or its start is gone, or, as the fill is quiet for
    /// `stall` seconds, none should join.
    ///
    /// Call on the cursor's loop.
    func attach(
        _ cursor: FillCursor, on loop: any EventLoop, limit: Int = .max, now: Int64 = 0,
        stall: Int64 = .max
    ) -> Int? {
        let place = state.withLock { state -> (number: Int, audience: FillAudience)? in
            guard state.log.cursorCount < limit, state.log.isReadableFromStart else { return nil }
            if case .head = state.log.opening, !state.log.isOver, now - state.lastProgress > stall {
                return nil
            }
            if let index = state.audiences.firstIndex(where: { $0.audience.loop === loop }) {
                return (state.log.attach(audience: index), state.audiences[index].audience)
            }
            let audience = FillAudience(loop: loop)
            state.audiences.append(Listeners(audience: audience))
            if loop === self.loop { state.local = audience }
            return (state.log.attach(audience: state.audiences.count - 1), audience)
        }
        guard let place else { return nil }
        place.audience.add(cursor)
        return place.number
    }

    func next(_ cursor: Int) -> FillLogState.Step {
        tellFill { log in log.next(cursor) }
    }

    func passed(_ cursor: Int, bytes: Int) {
        tellFill { $0.passed(cursor, bytes: bytes) }
    }

    /// Call on the cursor's loop.
    func leave(_ number: Int, _ cursor: FillCursor) {
        tellFill(always: true) { $0.leave(number) }
        let audience = state.withLock { state in
            state.audiences.first { $0.audience.loop === cursor.loop }?.audience
        }
        audience?.remove(cursor)
    }

    /// A reader's step may free the origin, or leave the fill without readers.
    private func tellFill<T>(always: Bool = false, _ body: (inout FillLogState) -> T) -> T {
        let (result, delta, isDue) = state.withLock { state -> (T, Int, Bool) in
            let before = state.log.windowBytes
            let wasPacing = state.log.mustPace
            let result = body(&state.log)
            let isReleased = wasPacing && !state.log.mustPace
            let isGone = always && state.log.cursorCount == 0 && !state.log.isOver
            let isDue = (isReleased || isGone) && !state.isAttentionDue
            if isDue { state.isAttentionDue = true }
            return (result, state.log.windowBytes - before, isDue)
        }
        charge(delta)
        guard isDue else { return result }
        if loop.inEventLoop {
            callFill()
        } else {
            loop.execute { self.callFill() }
        }
        return result
    }

    private func callFill() {
        state.withLock { $0.isAttentionDue = false }
        attention.withLock { $0 }?()
    }
}

/// The waiting cursors of one loop; only touched there, made anywhere.
// @unchecked: `cursors` is read and written on `loop` alone, which every function checks.
final class FillAudience: @unchecked Sendable {
    let loop: any EventLoop
    private var cursors: [FillCursor] = []

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func add(_ cursor: FillCursor) {
        loop.preconditionInEventLoop()
        cursors.append(cursor)
    }

    func remove(_ cursor: FillCursor) {
        loop.preconditionInEventLoop()
        cursors.removeAll { $0 === cursor }
    }

    /// Lets every cursor go on as far as it can.
    func wake() {
        loop.preconditionInEventLoop()
        // A copy: a cursor that is done takes itself out.
        for cursor in cursors { cursor.advance() }
    }
}
