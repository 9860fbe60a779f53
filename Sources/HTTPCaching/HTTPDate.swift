/// The dates of HTTP (RFC 9110 §5.6.7): all three forms are read, IMF-fixdate is written.
package enum HTTPDate {
    private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let longDays = [
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
    ]
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Seconds in fifty mean Gregorian years.
    private static let halfCentury: Int64 = 1_577_847_600

    /// The moment a date names, or nil when it is not exactly one of the three forms.
    ///
    /// Letter case does not matter; spaces, digits and the zone do. The day of the week must be
    /// one, not the right one. `now` decides the century of an RFC 850 year; without it 70 is 1970.
    package static func parse(_ text: String, now: EpochSeconds? = nil) -> EpochSeconds? {
        parse(text.utf8, now: now)
    }

    /// The same for bytes.
    package static func parse(
        _ bytes: some Collection<UInt8>, now: EpochSeconds? = nil
    ) -> EpochSeconds? {
        // The longest form has 33 bytes; what a hostile origin sends may have 64 KB.
        guard bytes.count <= 40 else { return nil }
        let lowered = bytes.map { FieldSyntax.lowercased($0) }
        return parseFixdate(lowered) ?? parseRFC850(lowered, now: now) ?? parseAsctime(lowered)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, for any number of seconds: years beyond 9999 stop there.
    package static func format(_ seconds: EpochSeconds) -> String {
        let last: EpochSeconds = 253_402_300_799
        let first: EpochSeconds = -62_167_219_200
        let moment = min(max(seconds, first), last)
        let day = floorDivide(moment, 86_400)
        let second = moment - day * 86_400
        let date = civil(fromDays: day)
        let weekday = Int((((day + 4) % 7) + 7) % 7)
        return capitalized(days[weekday]) + ", " + padded(date.day, 2) + " "
            + capitalized(months[Int(date.month) - 1]) + " " + padded(date.year, 4) + " "
            + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":"
            + padded(second % 60, 2) + " GMT"
    }

    // RFC 9110 §5.6.7 IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT"
    private static func parseFixdate(_ text: [UInt8]) -> EpochSeconds? {
        var scanner = DateScanner(text)
        guard scanner.oneOf(days) != nil, scanner.literal(", "),
            let day = scanner.digits(2), scanner.literal(" "),
            let month = scanner.oneOf(months), scanner.literal(" "),
            let year = scanner.digits(4), scanner.literal(" "),
            let time = scanner.timeOfDay(), scanner.literal(" gmt"), scanner.isAtEnd
        else { return nil }
        return moment(year: year, month: month + 1, day: day, secondOfDay: time)
    }

    // RFC 9110 §5.6.7 rfc850-date: "Sunday, 06-Nov-94 08:49:37 GMT"
    private static func parseRFC850(_ text: [UInt8], now: EpochSeconds?) -> EpochSeconds? {
        var scanner = DateScanner(text)
        guard scanner.oneOf(longDays) != nil, scanner.literal(", "),
            let day = scanner.digits(2), scanner.literal("-"),
            let month = scanner.oneOf(months), scanner.literal("-"),
            let short = scanner.digits(2), scanner.literal(" "),
            let time = scanner.timeOfDay(), scanner.literal(" gmt"), scanner.isAtEnd
        else { return nil }
        let year = fullYear(short, now: now)
        let guess = moment(year: year, month: month + 1, day: day, secondOfDay: time)
        guard let guess, let now, guess > ReuseTerms.sum(now, halfCentury) else { return guess }
        return moment(year: year - 100, month: month + 1, day: day, secondOfDay: time)
    }

    // RFC 9110 §5.6.7 asctime-date: "Sun Nov  6 08:49:37 1994"
    private static func parseAsctime(_ text: [UInt8]) -> EpochSeconds? {
        var scanner = DateScanner(text)
        guard scanner.oneOf(days) != nil, scanner.literal(" "),
            let month = scanner.oneOf(months), scanner.literal(" "),
            let day = scanner.literal(" ") ? scanner.digits(1) : scanner.digits(2),
            scanner.literal(" "), let time = scanner.timeOfDay(), scanner.literal(" "),
            let year = scanner.digits(4), scanner.isAtEnd
        else { return nil }
        return moment(year: year, month: month + 1, day: day, secondOfDay: time)
    }

    // RFC 9110 §5.6.7: more than 50 years ahead means the last year with these two digits; the
    // caller looks at the days within the fiftieth.
    private static func fullYear(_ short: Int64, now: EpochSeconds?) -> Int64 {
        guard let now, now >= 0, now < 253_402_300_799 else {
            return short >= 70 ? 1900 + short : 2000 + short
        }
        let current = civil(fromDays: floorDivide(now, 86_400)).year
        let year = current / 100 * 100 + short
        if year > current + 50 { return year - 100 }
        return year + 100 <= current + 50 ? year + 100 : year
    }

    private static func moment(
        year: Int64, month: Int, day: Int64, secondOfDay: Int64
    ) -> EpochSeconds? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day >= 1, day <= lengths[month - 1] else { return nil }
        // Days since the epoch in the proleptic Gregorian calendar, years begun in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * Int64((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * 86_400 + secondOfDay
    }

    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func capitalized(_ word: String) -> String {
        word.prefix(1).uppercased() + word.dropFirst()
    }
}
