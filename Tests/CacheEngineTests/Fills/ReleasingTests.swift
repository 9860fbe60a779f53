import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import CacheEngine

/// Answers that turn out to be for one only: those who wait go on at once, and the next do not wait.
@Suite struct ReleasingTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]

    static let refused: [HTTPFields] = [
        [.cacheControl: "private"], [.cacheControl: "no-store"], [.cacheControl: "max-age=0"],
        [.cacheControl: "max-age=60", .setCookie: "id=1"],
        [.cacheControl: "max-age=60", .vary: "*"],
        [:],
    ]

    @Test(arguments: refused)
    func whatIsForOneIsAskedForByAllAtOnce(fields: HTTPFields) async throws {
        try await Bench.run { bench in
            let first = try await bench.crowd(6)
            try await bench.expectRequests(1)
            let leading = try await bench.origin.exchange(0)
            try await leading.head(fields)
            // All of them, although the body of the first has not come.
            try await bench.expectRequests(6)
            try await bench.answer(1..<6, fields)
            try await bench.finish(Array(first.dropFirst()))
            #expect(Set(first.dropFirst().map(\.text)).count == 5, "nobody gets another's")
            #expect(first.allSatisfy { !$0.isCollapsed && $0.status?.isStored == false })
            let second = try await bench.crowd(3)
            try await bench.expectRequests(9)
            bench.clock.advance(29)
            let third = try await bench.crowd(2)
            try await bench.expectRequests(11)
            bench.clock.advance(1)
            let fourth = try await bench.crowd(3)
            try await bench.expectRequests(12)
            try await leading.body("answer 0")
            try await leading.end()
            try await bench.answer(6..<12, fields)
            try await bench.expectRequests(14)
            try await bench.answer(12..<14, fields)
            let all = first + second + third + fourth
            try await bench.finish(all)
            #expect(Set(all.map(\.text)).count == 14)
        }
    }

    @Test func whatProvesStorableIsWaitedForAgain() async throws {
        try await Bench.run { bench in
            try await bench.fetch([.cacheControl: "private"])
            let alone = try await bench.crowd(2)
            try await bench.expectRequests(3)
            try await bench.answer(1..<3, Self.lasting)
            try await bench.finish(alone)
            bench.invalidate("/a")
            let together = try await bench.crowd(4)
            try await bench.expectRequests(4)
            try await bench.answer(3..<4, Self.lasting)
            try await bench.finish(together)
            #expect(together.allSatisfy { $0.text == "answer 3" })
        }
    }

    @Test func aFailingOriginSaysNothingAboutWhatComes() async throws {
        try await Bench.run { bench in
            let first = try await bench.ask()
            try await bench.origin.exchange(0).answer(.serviceUnavailable, [:])
            try await bench.finish(first)
            let others = try await bench.crowd(4)
            try await bench.expectRequests(2)
            try await bench.answer(1..<2, Self.lasting)
            try await bench.finish(others)
            #expect(others.allSatisfy { $0.text == "answer 1" })
        }
    }

    // MARK: Vary

    private static func speaking(_ language: String) -> Ask {
        Ask(lines: ["accept-language": [language]])
    }

    @Test func eachVariantIsAskedForOnce() async throws {
        let fields: HTTPFields = [.cacheControl: "max-age=60", .vary: "Accept-Language"]
        try await Bench.run { bench in
            var clients: [String: [Client]] = [:]
            for language in ["en", "de", "fr"] {
                clients[language] = try await bench.crowd(3, Self.speaking(language))
            }
            try await bench.expectRequests(1)
            try await bench.origin.exchange(0).answer(fields, body: "en")
            try await bench.expectRequests(3)
            for number in 1..<3 {
                let exchange = try await bench.origin.exchange(number)
                let asked = exchange.request.fields[.acceptLanguage]
                #expect(asked == nil, "the bench forwards none")
                // Whoever leads this one tells by what it gets.
                try await exchange.answer(fields, body: "of \(number)")
            }
            for (language, group) in clients {
                try await bench.finish(group)
                #expect(Set(group.map(\.text)).count == 1, "\(language)")
            }
            #expect(clients["en"]?.first?.text == "en")
            #expect(Set(clients.values.compactMap { $0.first?.text }).count == 3)
            try await bench.expectRequests(3)
            for (language, group) in clients {
                let hit = try await bench.ask(Self.speaking(language))
                #expect(hit.status?.result == .hit && hit.text == group.first?.text)
            }
        }
    }

    @Test func whoIsReleasedByAnotherVariantJoinsItsOwn() async throws {
        let fields: HTTPFields = [.cacheControl: "max-age=60", .vary: "Accept-Language"]
        try await Bench.run { bench in
            try await bench.fetch(Self.speaking("en"), fields, body: "en")
            bench.clock.advance(61)
            // Stale: by which fields it varies is known, so nobody waits for another variant.
            let english = try await bench.crowd(2, Self.speaking("en"))
            try await bench.expectRequests(2)
            let german = try await bench.crowd(2, Self.speaking("de"))
            try await bench.expectRequests(3)
            try await bench.answer(1..<3, fields)
            try await bench.finish(english + german)
            #expect(english.allSatisfy { $0.text == "answer 1" })
            #expect(german.allSatisfy { $0.text == "answer 2" })
        }
    }

    @Test func howAnswersVaryIsRememberedWithThem() async throws {
        let fields: HTTPFields = [.cacheControl: "max-age=60", .vary: "Accept-Language"]
        try await Bench.run { bench in
            try await bench.fetch(Self.speaking("en"), fields, body: "en")
            let german = try await bench.crowd(3, Self.speaking("de"))
            let french = try await bench.crowd(3, Self.speaking("fr"))
            // Neither waits for the head of the other.
            try await bench.expectRequests(3)
            try await bench.answer(1..<3, fields)
            try await bench.finish(german + french)
            #expect(german.allSatisfy { $0.text == "answer 1" })
            #expect(french.allSatisfy { $0.text == "answer 2" })
            #expect(german[0].status?.result == .forwarded(.varyMiss))
        }
    }

    // MARK: Credentials

    @Test(arguments: [Ask(hasCredentials: true), Ask(hasCookie: true)])
    func whoHasCredentialsWaitsOnlyForEquals(personal: Ask) async throws {
        try await Bench.run { bench in
            let anonymous = try await bench.crowd(3)
            let known = try await bench.crowd(3, personal)
            try await bench.expectRequests(2)
            try await bench.answer(0..<2, [.cacheControl: "public, max-age=60"])
            try await bench.finish(anonymous + known)
            #expect(anonymous.allSatisfy { $0.text == "answer 0" })
            #expect(known.allSatisfy { $0.text == "answer 1" })
        }
    }

    @Test func anAnswerToCredentialsIsNobodyElses() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(4, Ask(hasCredentials: true))
            try await bench.expectRequests(1)
            try await bench.origin.exchange(0).head(Self.lasting)
            try await bench.expectRequests(4)
            try await bench.origin.exchange(0).end()
            try await bench.answer(1..<4, Self.lasting)
            try await bench.finish(clients)
            #expect(clients.map(\.text).sorted() == ["", "answer 1", "answer 2", "answer 3"])
            #expect(clients.allSatisfy { $0.status?.detail == "credentials" })
            // Remembered for those with credentials; the others still wait for each other.
            let known = try await bench.crowd(2, Ask(hasCredentials: true))
            try await bench.expectRequests(6)
            let anonymous = try await bench.crowd(3)
            try await bench.expectRequests(7)
            try await bench.answer(4..<7, Self.lasting)
            try await bench.finish(known + anonymous)
            #expect(anonymous.allSatisfy { $0.text == "answer 6" })
        }
    }

    // MARK: Validating

    private static let tagged: HTTPFields = [.cacheControl: "max-age=60", .eTag: "\"1\""]

    @Test func a304IsEverybodys() async throws {
        try await Bench.run { bench in
            try await bench.fetch(Self.tagged)
            bench.clock.advance(61)
            let clients = try await bench.crowd(6)
            try await bench.expectRequests(2)
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.ifNoneMatch] == "\"1\"")
            try await exchange.answer(.notModified, Self.tagged, body: "")
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.text == "body" })
            #expect(clients.allSatisfy { $0.status?.result == .revalidated })
            #expect(clients.map(\.isCollapsed) == [false] + Array(repeating: true, count: 5))
        }
    }

    /// What the 304 brings may be about one client only.
    @Test(arguments: ["private, max-age=60", "no-store"])
    func a304ThatForbidsStoringIsForItsClientOnly(control: String) async throws {
        try await Bench.run { bench in
            try await bench.fetch(Self.tagged)
            bench.clock.advance(61)
            let clients = try await bench.crowd(4)
            try await bench.expectRequests(2)
            let own: HTTPFields = [
                .cacheControl: control, .eTag: "\"1\"", field("x-user"): "first",
            ]
            try await bench.origin.exchange(1).answer(.notModified, own, body: "")
            try await bench.finish(clients[0])
            #expect(clients[0].fields[field("x-user")] == "first")
            try await bench.expectRequests(5)
            try await bench.answer(2..<5, Self.lasting)
            try await bench.finish(clients)
            #expect(clients.dropFirst().allSatisfy { $0.fields[field("x-user")] == nil })
        }
    }

    // MARK: Stale while revalidating

    @Test func manyStaleHitsAreOneRequestInTheBackground() async throws {
        let fields: HTTPFields = [.cacheControl: "max-age=60, stale-while-revalidate=600"]
        try await Bench.run { bench in
            try await bench.fetch(fields, body: "old")
            bench.clock.advance(61)
            let first = try await bench.crowd(20)
            try await bench.expectRequests(2)
            let second = try await bench.crowd(20)
            try await bench.expectRequests(2)
            #expect((first + second).allSatisfy { $0.text == "old" && $0.status?.result == .stale })
            try await bench.answer(1..<2, fields)
            let third = try await bench.crowd(20)
            #expect(third.allSatisfy { $0.text == "answer 1" && $0.status?.result == .hit })
            try await bench.expectRequests(2)
        }
    }

    @Test func afterAFailedRevalidationThereIsAPause() async throws {
        let fields: HTTPFields = [.cacheControl: "max-age=60, stale-while-revalidate=600"]
        try await Bench.run { bench in
            try await bench.fetch(fields, body: "old")
            bench.clock.advance(61)
            _ = try await bench.crowd(5)
            try await bench.expectRequests(2)
            try await bench.origin.exchange(1).fail()
            _ = try await bench.crowd(5)
            try await bench.expectRequests(2)
            bench.clock.advance(2)
            _ = try await bench.crowd(5)
            try await bench.expectRequests(3)
            try await bench.answer(2..<3, fields)
            #expect(try await bench.ask().text == "answer 2")
        }
    }
}
