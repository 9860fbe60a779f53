import NIOHTTP1
import Synchronization

/// The pages of the demo origin, and how often each was asked for.
final class DemoSite: Sendable {
    private struct Counts {
        var requests: [String: Int] = [:]
        var orders = 0
    }

    /// Different pages that are counted one by one; the rest are counted together.
    private static let maxCountedPages = 1000
    private let counts = Mutex(Counts())

    static let index = """
        A small origin to try larder on. It is slow on purpose and counts what reaches it.

        GET  /              this page
        GET  /time          the time; fresh for 10 seconds, with an ETag
        GET  /articles/N    article N (1 to 10000); fresh for 60 seconds, ETag and Last-Modified
        POST /search        {"query": "..."} in, a result list out; says nothing of freshness
        POST /graphql       {"query": "...", "variables": {}} in, {"data": ...} out
        GET  /orders        how many orders there are; fresh for 60 seconds
        POST /orders        one more order: unsafe, never to be cached
        GET  /private       needs Authorization; its answer is private
        GET  /count         how many requests reached this origin, by method and path

        """

    /// Counts the request and answers it.
    ///
    /// - Parameters:
    ///   - request: The request, complete.
    ///   - now: Seconds since 1970-01-01T00:00:00Z.
    func answer(_ request: DemoRequest, now: Int64) -> DemoAnswer {
        let served = count(request)
        if request.isTooLarge {
            return .text("The content is longer than 1 MB.\n", status: .payloadTooLarge)
        }
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
        switch (request.page, request.path) {
        case (.GET, "/"):
            return .text(Self.index).with("cache-control", "max-age=60")
        case (.GET, "/time"):
            return time(request, now: now)
        case (.GET, "/private"):
            return personal(request)
        case (.GET, "/count"):
            return requestCounts()
        case (.GET, "/orders"):
            return orders()
        case (.POST, "/orders"):
            return newOrder()
        case (.POST, "/search"), (.RAW(value: "QUERY"), "/search"):
            return DemoQueries.search(request.content, served: served)
        case (.POST, "/graphql"):
            return DemoQueries.graphQL(request.content, served: served)
        case (.GET, _) where segments.count == 3 && segments[1] == "articles":
            return article(segments[2], request)
        default:
            return unknown(request)
        }
    }

    private func count(_ request: DemoRequest) -> Int {
        let page = "\(request.method.rawValue) \(request.path)"
        return counts.withLock { counts in
            let isCounted =
                counts.requests[page] != nil || counts.requests.count < Self.maxCountedPages
            let total = counts.requests[isCounted ? page : "other", default: 0] + 1
            counts.requests[isCounted ? page : "other"] = total
            return total
        }
    }

    private func time(_ request: DemoRequest, now: Int64) -> DemoAnswer {
        DemoAnswer.text(CivilTime(now).timestamp(milliseconds: 0) + "\n")
            .with("cache-control", "max-age=10")
            .validated(by: "\"\(now)\"", for: request)
    }

    private func article(_ name: Substring, _ request: DemoRequest) -> DemoAnswer {
        guard let number = Digits.number(name.utf8), (1...10_000).contains(number),
            "\(number)" == name
        else { return unknown(request) }
        // Article 1 changed last on 2026-01-01, each further one an hour earlier.
        let changed = CivilTime(1_767_225_600 - Int64(number - 1) * 3600)
        let text = "Article \(number). It is long enough to be worth keeping, and never changes."
        return DemoAnswer.json(DemoQueries.article(number: number, text: text))
            .with("cache-control", "max-age=60")
            .with("last-modified", changed.httpDate)
            .validated(by: "\"article-\(number)-1\"", for: request)
    }

    private func personal(_ request: DemoRequest) -> DemoAnswer {
        guard let credentials = request.headers.first(name: "authorization") else {
            return .text("Who are you?\n", status: .unauthorized)
                .with("www-authenticate", "Basic realm=\"demo\"")
        }
        let scheme = credentials.prefix { $0 != " " }
        return .text("This is for you alone; you came with \(scheme).\n")
            .with("cache-control", "private, max-age=60")
    }

    private func requestCounts() -> DemoAnswer {
        let requests = counts.withLock { $0.requests }
        var answer = DemoAnswer.json(DemoQueries.counts(requests)).with("cache-control", "no-store")
        answer.isSlow = false
        return answer
    }

    private func orders() -> DemoAnswer {
        let orders = counts.withLock { $0.orders }
        return .json(DemoQueries.counts(["orders": orders])).with("cache-control", "max-age=60")
    }

    private func newOrder() -> DemoAnswer {
        let order = counts.withLock { counts in
            counts.orders += 1
            return counts.orders
        }
        return .json(DemoQueries.counts(["order": order]), status: .created)
            .with("location", "/orders")
    }

    private func unknown(_ request: DemoRequest) -> DemoAnswer {
        .text("There is no \(request.method.rawValue) \(request.path) here.\n", status: .notFound)
    }
}
