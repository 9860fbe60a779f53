/// What the operator says about responses that a program puts by hand: the Cache API of Web workers.
package struct PutPolicy: Sendable, Equatable {
    /// How long a response lives that says nothing about it.
    package enum TTLDefaults: String, Sendable, CaseIterable {
        /// Cloudflare's table for zones: 200 and 301 two hours, 404 and 410 three minutes.
        case cloudflare
        /// Nothing but the guess of RFC 9111 §4.2.2 from Last-Modified.
        case none
    }

    /// Where lifetimes come from.
    package enum Lifetimes: Sendable, Equatable {
        /// From the fields of the response; what must not be kept is refused.
        case fromFields(TTLDefaults)
        /// From nowhere: what is put stays until it is deleted, as the W3C's Cache API has it.
        case unlimited
    }

    package var lifetimes = Lifetimes.fromFields(.cloudflare)
    /// Responses with a status of 500 and above are stored when they name a lifetime.
    package var storesServerErrors = false
    /// Responses that vary are kept side by side; otherwise Vary only keeps `*` out.
    package var honoursVary = false

    package init() {}
}

/// What the key of a put says about the response: `request.cf` of a worker.
package struct PutOverrides: Sendable, Equatable {
    /// Lifetimes of a range of status codes.
    package struct StatusTTL: Sendable, Equatable {
        package var codes: ClosedRange<Int>
        package var seconds: Int64

        package init(codes: ClosedRange<Int>, seconds: Int64) {
            self.codes = codes
            self.seconds = seconds
        }

        /// Reads a key such as `404` or `200-299`; nil for anything else.
        package init?(codes text: String, seconds: Int64) {
            let ends = text.utf8.split(
                separator: 0x2D, maxSplits: 1, omittingEmptySubsequences: false
            ).map { Self.code(FieldSyntax.trimmed(Array($0)[...])) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
                return nil
            }
            self.init(codes: first...last, seconds: seconds)
        }

        private static func code(_ digits: ArraySlice<UInt8>) -> Int? {
            guard digits.count == 3, let code = FieldSyntax.deltaSeconds(digits) else {
                return nil
            }
            return Int(code)
        }
    }

    /// Seconds that rule over the response's fields; 0 and less: it is not kept.
    package var ttl: Int64?
    /// The first range that has the status rules over the fields, too.
    package var ttlByStatus: [StatusTTL] = []
    /// Stored whatever its Cache-Control says, without Set-Cookie.
    package var storesEverything = false
    /// Besides those of Cache-Tag.
    package var tags: [String] = []

    package static let none = PutOverrides()

    package init() {}

    /// Seconds for a status, and whether they are said for it in particular.
    func ttl(for status: Int) -> (seconds: Int64, isForStatus: Bool)? {
        if let ttl { return (ttl, false) }
        return ttlByStatus.first { $0.codes.contains(status) }.map { ($0.seconds, true) }
    }
}
