package import CacheEngine

extension StoredEntry {
    /// Whether a store in memory, which keeps no checksums, has what the mark tells of.
    package func has(_ mark: RowMark) -> Bool {
        switch mark {
        case .body(let id): body.chunks?.id == id
        case .checksums: true
        }
    }
}
