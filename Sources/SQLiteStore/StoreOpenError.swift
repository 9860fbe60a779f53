/// Why a file cannot be the durable tier; it was left as it is.
package enum StoreOpenError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another program's SQLite database.
    case notLarder(path: String)
    /// Made by a newer version of this program.
    case newerSchema(path: String, found: Int, known: Int)
    /// A schema step was applied in another form than this program has.
    case foreignSchema(path: String, step: Int)
    /// Another instance has it open.
    case locked(path: String)
    /// The system, or SQLite, refused.
    case cannotOpen(path: String, reason: String)

    /// One line for people, with the path.
    package var description: String {
        switch self {
        case .notLarder(let path):
            return "\(path) is not a Larder file; it was left as it is"
        case .newerSchema(let path, let found, let known):
            return "\(path) has schema \(found), made by a newer version; this one knows \(known)"
        case .foreignSchema(let path, let step):
            return "\(path): schema step \(step) is not the one this version has"
        case .locked(let path):
            return "\(path) is in use by another instance"
        case .cannotOpen(let path, let reason):
            return "cannot open \(path): \(reason)"
        }
    }
}
