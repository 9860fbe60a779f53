import Glibc

/// A directory of its own for one test, removed with the last reference to it.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = "\(parent)/larder-test-XXXXXX".utf8CString.map { $0 }
        guard mkdtemp(&template) != nil else {
            throw SystemCallError("mkdtemp", errno)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        Self.remove(path)
    }

    /// The path of a file in the directory.
    package func file(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// The names of what is in the directory, sorted.
    package func names() -> [String] {
        Self.names(in: path).sorted()
    }

    /// All bytes of a file; none when there is no such file.
    package func bytes(of name: String) -> [UInt8] {
        readFile(file(name))
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in names(in: path) {
            remove("\(path)/\(name)")
        }
        rmdir(path)
    }
}

/// A call of the operating system failed.
package struct SystemCallError: Error, CustomStringConvertible {
    package let call: String
    package let code: Int32

    package init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    package var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }
}

/// All bytes of a file; none when it cannot be read.
package func readFile(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(descriptor, &piece, piece.count)
        guard count > 0 else { return all }
        all.append(contentsOf: piece[..<count])
    }
}

/// Writes a file anew.
package func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemCallError("open \(path)", errno) }
    defer { close(descriptor) }
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
        throw SystemCallError("write \(path)", errno)
    }
}
