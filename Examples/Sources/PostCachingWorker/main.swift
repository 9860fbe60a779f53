import AsyncHTTPClient
import Hummingbird
import LarderCache
import NIOHTTPTypesHTTP1

let origin = Environment().get("ORIGIN") ?? "http://127.0.0.1:8081"
let caches = try CacheStorage(path: "worker.db")
let (deferred, router) = (DeferredWork(), Router())
router.post("**") { request, _ async throws -> Response in
    let content = try await request.body.collect(upTo: 1 << 20)
    let key = try caches.default.key(for: request.head, content: content)
    if let hit = try await caches.default.match(key) {
        let body = ResponseBody(asyncSequence: hit.body)
        return Response(status: hit.head.status, headers: hit.head.headerFields, body: body)
    }
    var fetch = HTTPClientRequest(url: origin + request.uri.string)
    (fetch.method, fetch.body) = (.POST, .bytes(content))
    fetch.headers.add(name: "Content-Type", value: request.headers[.contentType] ?? "")
    let answer = try await HTTPClient.shared.execute(fetch, timeout: .seconds(30))
    let body = try await answer.body.collect(upTo: 16 << 20)
    var head = HTTPResponse(status: .init(code: Int(answer.status.code)))
    head.headerFields = HTTPFields(answer.headers, splitCookie: false)
    head.headerFields[.transferEncoding] = nil
    deferred.waitUntil { [head] in try await caches.default.put(key, head, body: CacheBody(body)) }
    return Response(status: head.status, headers: head.headerFields, body: .init(byteBuffer: body))
}
let address = BindAddress.hostname(port: Environment().get("PORT", as: Int.self) ?? 8082)
try await Application(router: router, configuration: .init(address: address)).runService()
await deferred.drain()
await caches.close()
