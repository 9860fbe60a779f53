import HTTPCaching
import Testing

@Suite("RFC 9110 §5.6.7 Date/Time Formats")
struct RFC9110Section5DateTests {
    @Test(
        "the three forms, letter case ignored",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994", "SUN, 06 nov 1994 08:49:37 gmt",
            "sUNDAY, 06-NOV-94 08:49:37 Gmt", "sun nov  6 08:49:37 1994",
            // The day of the week must be one, not the right one.
            "Mon, 06 Nov 1994 08:49:37 GMT", "Sun Nov 06 08:49:37 1994",
        ])
    func threeForms(text: String) {
        #expect(HTTPDate.parse(text) == epoch)
        #expect(HTTPDate.parse(Array(text.utf8)) == epoch)
    }

    @Test(
        "everything else is no date",
        arguments: [
            "", "0", "-1", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06  Nov  1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT", " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 GMT, x",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
            "F000 00 Mar 0000", "Sun, 06 Nov 19941 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:3\u{0667} GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT", "Sun, 06 Nov 1994 08:49:37 \u{212A}MT",
        ])
    func junk(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }

    @Test("a very long text is no date")
    func long() {
        #expect(HTTPDate.parse(String(repeating: "Sun, ", count: 20_000)) == nil)
    }

    @Test(
        "moments of the calendar",
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Thu, 18 Aug 2050 02:01:18 GMT", 2_544_400_878),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
        ] as [(String, EpochSeconds)])
    func moments(text: String, seconds: EpochSeconds) {
        #expect(HTTPDate.parse(text) == seconds)
        #expect(HTTPDate.format(seconds) == text)
    }

    @Test("a leap second is read as the next one")
    func leapSecond() {
        #expect(HTTPDate.parse("Sat, 31 Dec 2016 23:59:60 GMT") == 1_483_228_800)
    }

    @Test(
        "a two-digit year is the one nearest from the past to fifty years ahead",
        arguments: [
            ("1999-06", 929_000_000, "49", "2049"), ("1999-06", 929_000_000, "50", "1950"),
            ("2026", 1_790_000_000, "76", "2076"), ("2026", 1_790_000_000, "77", "1977"),
            ("2026", 1_790_000_000, "94", "1994"), ("2026", 1_790_000_000, "26", "2026"),
            ("2060", 2_850_000_000, "05", "2105"),
        ] as [(String, EpochSeconds, String, String)])
    func century(label: String, now: EpochSeconds, short: String, full: String) {
        #expect(
            HTTPDate.parse("Monday, 03-Jan-\(short) 00:00:00 GMT", now: now)
                == HTTPDate.parse("Mon, 03 Jan \(full) 00:00:00 GMT"))
    }

    @Test("later in the fiftieth year is a century ago")
    func fiftiethYear() {
        // 1,790,000,000 is in September 2026.
        #expect(
            HTTPDate.parse("Monday, 03-Dec-76 00:00:00 GMT", now: 1_790_000_000)
                == HTTPDate.parse("Mon, 03 Dec 1976 00:00:00 GMT"))
    }

    @Test("any number of seconds can be written", arguments: [Int64.min, .max])
    func extremes(seconds: Int64) {
        #expect(HTTPDate.parse(HTTPDate.format(seconds)) != nil)
    }
}
