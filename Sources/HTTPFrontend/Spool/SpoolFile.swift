import CacheEngine
import NIOCore
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Content in a file that nobody else can see; it goes with the last reference.
///
/// Written by one owner, one write at a time; then read by whoever holds it. Callable from any
/// thread, waits on none but the area's.
final class SpoolFile: SpooledContent {
    /// Why content could not be written.
    enum Failure: Error, Equatable, CustomStringConvertible {
        /// What may be used of the disk is used up.
        case budget
        /// Too many files are open.
        case files
        case system(Int32)

        var description: String {
            switch self {
            case .budget: "--spool-size is used up"
            case .files: "too many files are open"
            case .system(let code): strerror(code).map { String(cString: $0) } ?? "error \(code)"
            }
        }
    }

    private let area: SpoolArea
    private let descriptor = Atomic<Int32>(-1)
    private let reserved = Atomic<Int>(0)
    private let written = Atomic<Int64>(0)

    /// `nil` when too many files are open.
    init?(_ area: SpoolArea) {
        guard area.reserveFile() else { return nil }
        self.area = area
    }

    deinit {
        let descriptor = descriptor.load(ordering: .relaxed)
        let bytes = reserved.load(ordering: .relaxed)
        // Giving back the blocks of a large file takes its time.
        area.submit { [area] _ in
            if descriptor >= 0 { close(descriptor) }
            area.release(bytes: bytes)
            area.releaseFile()
        }
    }

    /// Bytes that are on disk.
    var length: Int64 { written.load(ordering: .acquiring) }

    /// Adds bytes at the end; `done` is called on `loop`, later.
    ///
    /// After a failure the file holds what it held before.
    func append(
        _ bytes: ByteBuffer, on loop: any EventLoop,
        done: @escaping @Sendable (Failure?) -> Void
    ) {
        guard area.reserve(bytes: bytes.readableBytes) else {
            loop.execute { done(.budget) }
            return
        }
        reserved.wrappingAdd(bytes.readableBytes, ordering: .relaxed)
        area.submit { [self] isActive in
            let failure = isActive ? write(bytes) : .system(ECANCELED)
            loop.execute { done(failure) }
        }
    }

    func read(
        at offset: Int64, count: Int, on loop: any EventLoop,
        done: @escaping @Sendable (ByteBuffer?) -> Void
    ) {
        let charge = BudgetCharge(area.budget, bytes: count)
        area.submit { [self] isActive in
            let bytes = isActive ? read(at: offset, count: count) : nil
            loop.execute {
                done(bytes)
                withExtendedLifetime(charge) {}
            }
        }
    }

    // MARK: On a thread that may wait

    private func write(_ bytes: ByteBuffer) -> Failure? {
        var file = descriptor.load(ordering: .relaxed)
        if file < 0 {
            file = area.openNameless()
            guard file >= 0 else { return .system(-file) }
            descriptor.store(file, ordering: .releasing)
        }
        let start = written.load(ordering: .relaxed)
        let error = bytes.withUnsafeReadableBytes { bytes -> Int32 in
            var rest = UnsafeRawBufferPointer(rebasing: bytes[...])
            var offset = start
            while rest.count > 0 {
                let count = pwrite(file, rest.baseAddress, rest.count, off_t(offset))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return count < 0 ? errno : ENOSPC }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                offset += Int64(count)
            }
            return 0
        }
        guard error == 0 else { return .system(error) }
        written.store(start + Int64(bytes.readableBytes), ordering: .releasing)
        return nil
    }

    private func read(at offset: Int64, count: Int) -> ByteBuffer? {
        let file = descriptor.load(ordering: .acquiring)
        let rest = min(Int64(count), length - offset)
        guard offset >= 0, rest >= 0 else { return nil }
        var buffer = ByteBufferAllocator().buffer(capacity: Int(rest))
        while buffer.readableBytes < rest {
            let place = offset + Int64(buffer.readableBytes)
            let wanted = Int(rest) - buffer.readableBytes
            var error: Int32 = 0
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { target in
                let count = pread(file, target.baseAddress, wanted, off_t(place))
                if count < 0 { error = errno }
                return max(0, count)
            }
            if error == EINTR { continue }
            // What was written has gone.
            guard got > 0 else { return nil }
        }
        return buffer
    }
}
