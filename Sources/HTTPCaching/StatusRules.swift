/// What is known about caching each status code.
enum StatusRules {
    // RFC 9110 §15.1
    private static let heuristic: Set<Int> = [
        200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
    ]

    // Codes whose caching rules are implemented here
    private static let understood: Set<Int> = [
        200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404,
        405,
        406, 408, 409, 410, 411, 413, 414, 415, 421, 422, 426, 451, 500, 501, 502, 503, 504, 505,
    ]

    // RFC 9111 §3: 304. RFC 6585 §3-6: 428, 429, 431, 511. RFC 8470 §5.2: 425. The others answer
    // fields of the request that no key holds: 407, 412, 416, 417.
    private static let never: Set<Int> = [304, 407, 412, 416, 417, 425, 428, 429, 431, 511]

    // A broken request must not become the answer to whole ones on the word of a default.
    private static let onlyExplicitly: Set<Int> = [400, 413]

    static func isFinal(_ status: Int) -> Bool { status >= 200 && status <= 599 }

    static func isNeverStored(_ status: Int) -> Bool { never.contains(status) }

    /// Whether a lifetime may be guessed. RFC 9111 §4.2.2
    static func allowsHeuristics(_ status: Int, isPublic: Bool) -> Bool {
        heuristic.contains(status) || (isPublic && !onlyExplicitly.contains(status))
    }

    /// Whether must-understand is satisfied. RFC 9111 §5.2.2.3
    static func isUnderstood(_ status: Int) -> Bool { understood.contains(status) }
}
