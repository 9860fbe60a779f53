import CacheEngine
import CacheKeys
import HTTPCaching
import Logging
import NIOCore

/// What the connections of one event loop share; confined to that loop.
final class LoopContext {
    let loop: any EventLoop
    let engine: Engine
    let configuration: FrontendConfiguration
    let gate: HeadGate
    let keyFields: KeyFieldTable
    let hasher: KeyHasher
    let secret: CredentialSecret
    let spool: SpoolArea
    private let freeBounds: SpoolState.Bounds
    private let tightBounds: SpoolState.Bounds
    let logger: Logger
    private let clock: any WallClock
    /// Wall time, renewed by the tick: the hit path reads no clock.
    private(set) var now: EpochSeconds
    /// Seconds since the loop's first tick; not touched by changes of the wall clock.
    private(set) var uptime: Int64 = 0
    private(set) var isDraining = false
    /// Reused for answers that are one small buffer.
    var scratch: ByteBuffer
    private var digesters: [BodyDigester] = []
    private var contents: [KeyedContent] = []
    private var awaitingMemory: [ConnectionHandler] = []
    private var lastSpoolLine: Int64 = .min
    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]
    private var tick: RepeatedTask?
    private let started: NIODeadline

    private static let tickMilliseconds: Int64 = 250

    init(
        loop: any EventLoop, engine: Engine, configuration: FrontendConfiguration,
        secret: CredentialSecret, spool: SpoolArea, clock: any WallClock, logger: Logger
    ) throws(KeyError) {
        self.loop = loop
        self.engine = engine
        self.configuration = configuration
        self.secret = secret
        self.spool = spool
        var bounds = SpoolState.Bounds()
        bounds.key = configuration.maxKeyBodyBytes
        bounds.memory = configuration.memoryKeyBodyBytes
        freeBounds = bounds
        tightBounds = bounds.tight
        self.clock = clock
        self.logger = logger
        hasher = try KeyHasher()
        keyFields = KeyFieldTable(
            own: configuration.keyFields,
            credentials: CredentialFields.standard + configuration.credentialFields)
        now = clock.now()
        started = loop.now
        scratch = ByteBufferAllocator().buffer(capacity: 4096)
        var door = HeadGate.Door.proxy
        var guarded = keyFields.guarded
        if case .cacheAPI = configuration.service {
            door = .cacheAPI
            guarded.formUnion(CacheKeyRequest.fieldNames)
        }
        gate = HeadGate(
            door: door,
            limits: .init(
                targetBytes: configuration.maxTargetBytes, headBytes: configuration.maxHeadBytes,
                fields: configuration.maxFields),
            hosts: configuration.hosts,
            fieldTable: FieldTable(
                credentials: CredentialFields.standard + configuration.credentialFields),
            scheme: "http", guarded: guarded, pseudonym: engine.configuration.viaName)
    }

    /// Begins to renew the time and to enforce deadlines.
    ///
    /// Call on the loop.
    func startTicking() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let interval = TimeAmount.milliseconds(Self.tickMilliseconds)
        tick = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.advance()
        }
    }

    /// Renews the time; cuts off who is past a deadline.
    func advance() {
        now = clock.now()
        shareMemory()
        let elapsed = (loop.now - started).nanoseconds / 1_000_000_000
        guard elapsed != uptime else { return }
        uptime = elapsed
        // A copy: a connection that is closed takes itself out.
        for connection in Array(connections.values) { connection.enforceDeadline(uptime) }
    }

    func add(_ connection: ConnectionHandler) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: ConnectionHandler) {
        connections[ObjectIdentifier(connection)] = nil
    }

    var connectionCount: Int { connections.count }

    /// Closes idle connections and lets the others finish what they are at.
    func drain() {
        isDraining = true
        for connection in Array(connections.values) { connection.drain() }
    }

    /// Closes what is still open.
    func closeAll() {
        tick?.cancel()
        tick = nil
        for connection in Array(connections.values) { connection.closeNow() }
    }

    // MARK: Memory for request content

    /// Keep what can go to a disk out of memory.
    var isMemoryTight: Bool { engine.budget.level >= .noStores }

    var spoolBounds: SpoolState.Bounds { isMemoryTight ? tightBounds : freeBounds }

    /// Whether `connection` may read content; if not, the tick will see to it.
    func mayRead(_ connection: ConnectionHandler) -> Bool {
        guard engine.budget.level == .noReading else { return true }
        if !connection.awaitsMemory {
            connection.awaitsMemory = true
            awaitingMemory.append(connection)
        }
        return false
    }

    /// Lets as many read on as there is memory for, who waited longest first; what the others hold
    /// goes to the disk.
    private func shareMemory() {
        guard !awaitingMemory.isEmpty else { return }
        var reads = engine.budget.room / Self.readBytes
        let waiting = awaitingMemory
        awaitingMemory = []
        for connection in waiting where !connection.isClosing {
            if reads > 0 {
                reads -= 1
                connection.awaitsMemory = false
                connection.processWaiting()
            } else {
                awaitingMemory.append(connection)
                connection.squeezeContent()
            }
        }
    }

    /// What one read may bring.
    private static let readBytes = 64 << 10

    /// Once a second at most.
    func noteSpoolTrouble(_ failure: SpoolFile.Failure?) {
        guard uptime != lastSpoolLine else { return }
        lastSpoolLine = uptime
        logger.warning(
            "request content cannot be spooled and passes through uncached",
            metadata: ["error": "\(failure ?? .files)"])
    }

    // MARK: Contents

    /// A content with nothing in it; it goes back when it is complete.
    func takeContent() -> KeyedContent? {
        if let content = contents.popLast() { return content }
        let digester = digesters.popLast() ?? (try? BodyDigester())
        return digester.map { KeyedContent(digester: $0) }
    }

    func giveBack(_ content: KeyedContent) {
        guard contents.count < 64 else { return }
        content.reset()
        contents.append(content)
    }

    /// Of a content that was given up.
    func giveBack(_ digester: BodyDigester) {
        guard digesters.count < 64 else { return }
        digester.reset()
        digesters.append(digester)
    }
}

@available(*, unavailable)
extension LoopContext: Sendable {}
