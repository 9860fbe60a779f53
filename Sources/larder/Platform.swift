import CMalloc

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the executable asks of the operating system: its streams, signals, clock and end.
enum Platform {
    /// Writes all of `text` to standard output; a closed stream is not an error.
    static func writeToStandardOutput(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    /// Writes all of `text` to standard error; a closed stream is not an error.
    static func writeToStandardError(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    /// Ends the process at once with `code`.
    static func end(_ code: Int32) -> Never {
        exit(code)
    }

    /// Ends the process at once with `code`; nothing registered for the end is run.
    static func endAtOnce(_ code: Int32) -> Never {
        _exit(code)
    }

    /// The bytes of a small file.
    ///
    /// - Throws: ``StartFailure`` with the system's words when it cannot be read or is longer
    ///   than `limit`.
    static func contents(ofFile path: String, limit: Int) throws(StartFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartFailure(reason(ofErrno: errno)) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            if count == 0 { break }
            if count > 0 {
                length += count
            } else if errno != EINTR {
                throw StartFailure(reason(ofErrno: errno))
            }
        }
        guard length <= limit else { throw StartFailure("longer than \(limit) bytes") }
        return Array(bytes[..<length])
    }

    /// The directory that a file of this path is in.
    static func directory(ofFile path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes writing to a closed pipe or socket return an error instead of raising a signal.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Keeps freed memory in few places, from where it is used again or goes back to the system.
    ///
    /// glibc makes up to eight arenas a core, and what one of them has free no other thread gets:
    /// bodies are allocated by the loops and freed by the writer. Before the first thread starts.
    static func shareFreedMemory() {
        #if canImport(Glibc)
            mallopt(M_ARENA_MAX, 2)
        #endif
    }

    /// Makes SIGTERM and SIGINT end the process at once with code 0.
    ///
    /// For processes that have nothing to finish.
    static func endAtOnceOnTermination() {
        signal(SIGTERM) { _ in _exit(0) }
        signal(SIGINT) { _ in _exit(0) }
    }

    /// The wall clock: whole seconds since 1970-01-01T00:00:00Z and the milliseconds past them.
    static func wallClock() -> (seconds: Int64, milliseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec), Int(time.tv_nsec) / 1_000_000)
    }

    /// The environment of the process.
    ///
    /// A name given twice keeps its first value, as `getenv` would find it.
    static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let separator = text.firstIndex(of: "=") {
                let name = String(text[..<separator])
                if variables[name] == nil {
                    variables[name] = String(text[text.index(after: separator)...])
                }
            }
            next += 1
        }
        return variables
    }

    /// The system's words for an error number.
    static func reason(ofErrno number: Int32) -> String {
        guard let words = strerror(number) else { return "error \(number)" }
        return String(cString: words)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                #if canImport(Darwin)
                    let count = Darwin.write(descriptor, start, rest.count)
                #elseif canImport(Musl)
                    let count = Musl.write(descriptor, start, rest.count)
                #else
                    let count = Glibc.write(descriptor, start, rest.count)
                #endif
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
