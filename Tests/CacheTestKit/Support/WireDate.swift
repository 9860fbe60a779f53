import Glibc

/// Dates as an origin writes them (RFC 9110 §5.6.7).
package enum WireDate {
    /// Now, moved by so many seconds, as IMF-fixdate.
    package static func now(_ offset: Int = 0) -> String {
        var seconds = time(nil) + offset
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let length = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
