/// A moment as the calendar of UTC shows it.
struct CivilTime: Equatable {
    let year: Int64
    /// 1...12.
    let month: Int64
    /// 1...31.
    let day: Int64
    /// 0 is Sunday.
    let weekday: Int
    let hour: Int64
    let minute: Int64
    let second: Int64

    /// The moment `seconds` after 1970-01-01T00:00:00Z.
    ///
    /// Counted in years that begin on March 1 and eras of 400 years, so that the leap day is the
    /// last day of its year.
    init(_ seconds: Int64) {
        let ofDay = Self.modulo(seconds, 86_400)
        let days = (seconds - ofDay) / 86_400
        let shifted = days + 719_468
        let ofEra = Self.modulo(shifted, 146_097)
        let era = (shifted - ofEra) / 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        self.day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
        self.weekday = Int(Self.modulo(days + 4, 7))
        self.hour = ofDay / 3600
        self.minute = ofDay / 60 % 60
        self.second = ofDay % 60
    }

    /// `2026-11-22T15:04:05.678Z`.
    func timestamp(milliseconds: Int) -> String {
        let date = "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(day, 2))"
        return "\(date)T\(clock).\(Self.pad(Int64(milliseconds), 3))Z"
    }

    /// `Sun, 22 Nov 2026 15:04:05 GMT`, the form of HTTP.
    var httpDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let monthName = months[Int(month) - 1]
        let date = "\(Self.pad(day, 2)) \(monthName) \(Self.pad(year, 4))"
        return "\(weekdays[weekday]), \(date) \(clock) GMT"
    }

    private var clock: String {
        "\(Self.pad(hour, 2)):\(Self.pad(minute, 2)):\(Self.pad(second, 2))"
    }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func modulo(_ number: Int64, _ divisor: Int64) -> Int64 {
        let rest = number % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
