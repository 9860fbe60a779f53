import CacheEngine
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The place on disk for content on its way: a directory, how much of it may be used, and the
/// threads that wait for the disk.
///
/// Shared by all loops; lives as long as the last of its files.
final class SpoolArea: Sendable {
    let budget: MemoryBudget
    private let directory: String
    private let byteLimit: Int
    private let fileLimit: Int
    private let bytes = Atomic<Int>(0)
    private let files = Atomic<Int>(0)
    private let threads = NIOThreadPool(numberOfThreads: 2)

    /// Starts the threads; touches no file.
    ///
    /// - Parameters:
    ///   - byteLimit: bytes of all files together.
    ///   - budget: is charged with what is read back.
    init(directory: String, byteLimit: Int, budget: MemoryBudget) {
        self.directory = directory
        self.byteLimit = byteLimit
        self.budget = budget
        fileLimit = Self.openFileLimit / 4
        threads.start()
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    /// Bytes that are spoken for.
    var usedBytes: Int { bytes.load(ordering: .relaxed) }
    var openFiles: Int { files.load(ordering: .relaxed) }

    /// Runs on a thread that may wait; the argument is `false` when the threads have ended.
    func submit(_ work: @escaping @Sendable (Bool) -> Void) {
        threads.submit { state in
            if case .active = state { work(true) } else { work(false) }
        }
    }

    // MARK: What may be used

    /// Wait-free: the files of all connections draw on one count.
    func reserve(bytes count: Int) -> Bool {
        let (_, after) = bytes.wrappingAdd(count, ordering: .relaxed)
        if after <= byteLimit { return true }
        bytes.wrappingSubtract(count, ordering: .relaxed)
        return false
    }

    func release(bytes count: Int) {
        bytes.wrappingSubtract(count, ordering: .relaxed)
    }

    /// A file more, as long as connections and the database keep most of the descriptors.
    func reserveFile() -> Bool {
        let (_, after) = files.wrappingAdd(1, ordering: .relaxed)
        if after <= fileLimit { return true }
        releaseFile()
        return false
    }

    func releaseFile() {
        files.wrappingSubtract(1, ordering: .relaxed)
    }

    private static var openFileLimit: Int {
        var limit = rlimit()
        #if canImport(Darwin) || canImport(Musl)
            let result = getrlimit(RLIMIT_NOFILE, &limit)
        #else
            let result = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #endif
        return result == 0 ? Int(clamping: limit.rlim_cur) : 1024
    }

    // MARK: Files

    /// Opens a file that has no name (any more), only for us to read and write; may wait.
    ///
    /// - Returns: the descriptor, or the error's number, negative.
    func openNameless() -> Int32 {
        #if os(Linux)
            // O_TMPFILE, which Swift does not see; with O_EXCL it never gets a name.
            let nameless: Int32 = 0o20_000_000 | O_DIRECTORY
            let direct = open(directory, nameless | O_RDWR | O_CLOEXEC | O_EXCL, 0o600)
            if direct >= 0 { return direct }
        #endif
        // Not every file system has them.
        return openUnlinked()
    }

    /// The same with a name for a moment.
    func openUnlinked() -> Int32 {
        var random = SystemRandomNumberGenerator()
        let path = "\(directory)/larder-spool-\(String(random.next(), radix: 16))"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return -errno }
        unlink(path)
        return descriptor
    }
}
