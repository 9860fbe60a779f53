import Logging

/// Writes one readable line for each event: time, level, message, then `key=value` pairs.
///
/// `2026-11-22T15:04:05.678Z info    larder listens address=127.0.0.1:8080`. A line is one write,
/// so lines of several threads do not mix. Control characters are escaped: what a peer sent
/// cannot forge a line.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    /// Takes one finished line.
    private let write: @Sendable (String) -> Void

    init(
        level: Logger.Level,
        write: @escaping @Sendable (String) -> Void = Platform.writeToStandardError
    ) {
        self.logLevel = level
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let (seconds, milliseconds) = Platform.wallClock()
        write(line(event, time: CivilTime(seconds).timestamp(milliseconds: milliseconds)))
    }

    /// The line of an event that happened at `time`, its line break included.
    func line(_ event: LogEvent, time: String) -> String {
        let level = event.level.rawValue
        let padding = String(repeating: " ", count: max(0, 7 - level.utf8.count))
        var line = "\(time) \(level)\(padding) \(event.message.description.onOneLine)"
        var all = metadata
        if let provided = metadataProvider?.get() {
            all.merge(provided) { _, new in new }
        }
        if let own = event.metadata {
            all.merge(own) { _, new in new }
        }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key.onOneLine)=\(Self.quotedIfNeeded("\(value)"))"
        }
        if let error = event.error {
            line += " error=\(Self.quotedIfNeeded("\(error)"))"
        }
        return line + "\n"
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.unicodeScalars.allSatisfy { $0 != "\"" && $0 != "\\" && $0.value > 0x20 }
        guard !isPlain else { return value.onOneLine }
        let escaped = value.unicodeScalars.map { scalar in
            scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : "\(scalar)"
        }
        return "\"\(escaped.joined().onOneLine)\""
    }
}

/// Chooses where the lines of all loggers go.
enum LogBootstrap {
    /// Sends the lines of `level` and above to standard error; to be called once.
    static func toStandardError(level: Logger.Level) {
        LoggingSystem.bootstrap { _ in LineLogHandler(level: level) }
    }
}
