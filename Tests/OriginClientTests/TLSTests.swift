import CacheEngine
import Foundation
import HTTPTypes
import NIOCore
import NIOSSL
import Testing

@testable import OriginClient

/// A certificate authority and a certificate for `localhost`, made anew with the openssl tool.
private struct TestCertificates {
    let directory: URL
    var authority: String { directory.appending(path: "ca.pem").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appending(path: "larder-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try openssl(
            ["req", "-x509"] + key + [
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA",
            ])
        try openssl(
            ["req"] + key + ["-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf"])
        try Data("subjectAltName=DNS:localhost\n".utf8).write(
            to: directory.appending(path: "leaf.ext"))
        try openssl([
            "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-set_serial", "2", "-extfile", "leaf.ext", "-out", "leaf.pem",
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = directory
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    func serverContext(maximum: TLSVersion? = nil) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(
            directory.appending(path: "leaf.pem").path)
        let key = try NIOSSLPrivateKey(
            file: directory.appending(path: "leaf.key").path, format: .pem)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.maximumTLSVersion = maximum
        return try NIOSSLContext(configuration: tls)
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }
}

private let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

@Suite("TLS")
struct TLSTests {
    @Test("trusted by the file: answered, kept alive, large and small", arguments: [false, true])
    func trusted(isOld: Bool) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let size = 4 << 20
        let tls = try certificates.serverContext(maximum: isOld ? .tlsv12 : nil)
        let origin = try await ScriptedOrigin(tls: tls) { request in
            guard request.head.contains("/big") else { return [.send(hello)] }
            let body = ByteBuffer(repeating: 7, count: size)
            return [.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .bytes(body)]
        }
        let harness = try Harness("https://localhost:\(origin.port)") {
            $0.trustRootsFile = certificates.authority
        }
        for _ in 1...3 {
            #expect(try await harness.answer().ends == 1)
            let recorder = Recorder(keepsBody: false)
            let running = try await harness.start(.get("/big"), recorder)
            try await running.on { $0.pauseReading() }
            try await running.on { $0.resumeReading() }
            #expect(await recorder.over().bodyBytes == size)
        }
        #expect(origin.connectionCount == 1)
        #expect(origin.requests.first?.head.contains("Host: localhost:\(origin.port)\r\n") == true)
        await origin.stop()
    }

    @Test("a streamed body that begins before the handshake is over")
    func earlyBody() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let origin = try await ScriptedOrigin(tls: try certificates.serverContext()) { _ in
            [.send(hello)]
        }
        let harness = try Harness("https://localhost:\(origin.port)") {
            $0.trustRootsFile = certificates.authority
        }
        let running = try await harness.start(.make(.post, body: .streamed(length: 4))) {
            _ = $0.write(ByteBuffer(string: "body"))
        }
        await eventually { running.recorder.seen.writable == 1 }
        try await running.on { $0.finishBody() }
        #expect(await running.recorder.over().ends == 1)
        #expect(origin.requests.first?.body == Array("body".utf8))
        await origin.stop()
    }

    @Test("not trusted, or another name: no request is sent", arguments: [false, true])
    func refused(hasOtherName: Bool) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let origin = try await ScriptedOrigin(tls: try certificates.serverContext()) { _ in
            [.send(hello)]
        }
        let host = hasOtherName ? "127.0.0.1" : "localhost"
        let harness = try Harness("https://\(host):\(origin.port)") {
            if hasOtherName { $0.trustRootsFile = certificates.authority }
        }
        let seen = try await harness.answer()
        guard case .connectFailed(.certificate, let text)? = seen.errors.first else {
            Issue.record("\(seen.errors)")
            return
        }
        #expect(!text.isEmpty)
        #expect(seen.errors.count == 1)
        #expect(origin.requests.isEmpty)
        await origin.stop()
    }

    @Test("TLS 1.1 is too old")
    func tooOld() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let tls = try certificates.serverContext(maximum: .tlsv11)
        let origin = try await ScriptedOrigin(tls: tls) { _ in [.send(hello)] }
        let harness = try Harness("https://localhost:\(origin.port)") {
            $0.trustRootsFile = certificates.authority
        }
        guard case .connectFailed(.tls, _)? = try await harness.answer().errors.first else {
            Issue.record("connected")
            return
        }
        await origin.stop()
    }

    @Test("a close-delimited answer needs close_notify", arguments: [false, true])
    func closeNotify(isTruncated: Bool) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let origin = try await ScriptedOrigin(tls: try certificates.serverContext()) { _ in
            [.send("HTTP/1.1 200 OK\r\n\r\nhello")]
        }
        let harness = try Harness("https://localhost:\(origin.port)") {
            $0.trustRootsFile = certificates.authority
        }
        let running = try await harness.start(.get("/"))
        await eventually { running.recorder.seen.bodyBytes == 5 }
        try await origin.perform([isTruncated ? .truncate : .close], on: 0)
        let seen = await running.recorder.over()
        #expect(seen.ends == (isTruncated ? 0 : 1))
        #expect(seen.errors == (isTruncated ? [.closed] : []))
        await origin.stop()
    }

    @Test("a reused TLS connection that died silently is worth a second try")
    func retry() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let origin = try await ScriptedOrigin(tls: try certificates.serverContext()) { request in
            request.connection == 0 && request.index > 0 ? [.truncate] : [.send(hello)]
        }
        let harness = try Harness("https://localhost:\(origin.port)") {
            $0.trustRootsFile = certificates.authority
        }
        #expect(try await harness.answer().ends == 1)
        #expect(try await harness.answer().ends == 1)
        #expect(origin.connectionCount == 2)
        await origin.stop()
    }

    @Test("the file with the certificates to trust is read at start")
    func trustFile() throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let missing = certificates.authority + ".missing"
        #expect(throws: OriginTrustError.unreadable(file: missing)) {
            _ = try Harness("https://localhost") { $0.trustRootsFile = missing }
        }
        let empty = certificates.directory.appending(path: "leaf.ext").path
        #expect(throws: OriginTrustError.self) {
            _ = try Harness("https://localhost") { $0.trustRootsFile = empty }
        }
    }
}
