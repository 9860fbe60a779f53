import HTTPCaching
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The files of one database: itself, its log, its shared memory, its lock, and what was moved aside.
struct FileSet: Sendable {
    let path: String

    private static let companions = ["", "-wal", "-shm"]
    private static let ownerOnly: mode_t = 0o600
    private static let corruptCopiesKept = 2

    /// What stands at the path before any connection is open.
    enum Content: Equatable {
        case absentOrEmpty
        case larder
        /// A SQLite database without our mark.
        case foreign
        /// No SQLite database.
        case garbage
    }

    /// Reads the first bytes of the file.
    ///
    /// Only for the moment before this process has a connection to it:
    /// > the close() of file2 cancels the locks on file1  https://www.sqlite.org/howtocorrupt.html
    func inspect() throws(StoreOpenError) -> Content {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .absentOrEmpty }
            throw systemError()
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemError() }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .cannotOpen(path: path, reason: "it is not a regular file")
        }
        guard status.st_size > 0 else { return .absentOrEmpty }
        var header = [UInt8](repeating: 0, count: 100)
        let count = header.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, 100, 0) }
        guard count >= 0 else { throw systemError() }
        // https://www.sqlite.org/fileformat.html: magic at 0, application id at 68, big-endian.
        guard count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            return .garbage
        }
        let mark = header[68..<72].reduce(0) { $0 << 8 | Int64($1) }
        return mark == Pragmas.applicationID ? .larder : .foreign
    }

    /// Makes an empty file that only its owner reads; SQLite gives its mode to log and memory.
    func create() throws(StoreOpenError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, Self.ownerOnly)
        if descriptor >= 0 {
            // Whatever the umask took, the owner reads and writes.
            fchmod(descriptor, Self.ownerOnly)
            close(descriptor)
        } else if errno != EEXIST {
            throw systemError()
        }
    }

    /// The file's number on its device, to notice that another file took the name.
    func identity() -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Bytes of the write-ahead log's file; 0 when there is none.
    func logBytes() -> Int {
        var status = stat()
        return stat(path + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }

    /// Renames database, log and shared memory together, keeps the two newest such sets.
    ///
    /// Only with every connection closed. Returns the new path of the database.
    func moveAside(now: EpochSeconds) throws(StoreOpenError) -> String {
        var target = "\(path).corrupt-\(Self.timestamp(now))"
        var attempt = 1
        while access(target, F_OK) == 0, attempt < 1_000 {
            target = "\(path).corrupt-\(Self.timestamp(now)).\(attempt)"
            attempt += 1
        }
        for suffix in Self.companions where access(path + suffix, F_OK) == 0 {
            guard rename(path + suffix, target + suffix) == 0 else { throw systemError() }
        }
        prune()
        return target
    }

    private func prune() {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[...$0]) } ?? "./"
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let prefix = name + ".corrupt-"
        var copies: [String] = []
        guard let stream = opendir(directory) else { return }
        while let item = readdir(stream) {
            let found = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let isCompanion = found.hasSuffix("-wal") || found.hasSuffix("-shm")
            if found.hasPrefix(prefix), !isCompanion { copies.append(found) }
        }
        closedir(stream)
        for copy in copies.sorted().dropLast(Self.corruptCopiesKept) {
            for suffix in Self.companions { unlink(directory + copy + suffix) }
        }
    }

    /// `20261122T153336Z`.
    static func timestamp(_ time: EpochSeconds) -> String {
        var seconds = time_t(time)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "\(time)" }
        func digits(_ value: Int32, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return digits(parts.tm_year &+ 1_900, 4) + digits(parts.tm_mon &+ 1, 2)
            + digits(parts.tm_mday, 2) + "T" + digits(parts.tm_hour, 2)
            + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2) + "Z"
    }

    private func systemError() -> StoreOpenError {
        .cannotOpen(path: path, reason: String(cString: strerror(errno)))
    }
}

/// Keeps other instances off a database until it is released.
final class LockFile: Sendable {
    private let path: String
    private let isNew: Bool
    private let descriptor: Mutex<Int32?>

    /// Takes `<path>.lock` or throws; never waits.
    ///
    /// The lock's file stays behind: to remove it would race with the next instance.
    init(database path: String) throws(StoreOpenError) {
        isNew = access(path + ".lock", F_OK) != 0
        self.path = path + ".lock"
        let descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: path + ".lock", reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            if reason == EWOULDBLOCK { throw .locked(path: path) }
            throw .cannotOpen(path: path + ".lock", reason: String(cString: strerror(reason)))
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        release()
    }

    /// Leaves nothing beside a file that is not ours; every instance refuses that one.
    func discard() {
        if isNew { unlink(path) }
        release()
    }

    /// Lets the next instance in; only with every connection closed.
    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor { close(open) }
            descriptor = nil
        }
    }
}
