import CacheEngine
import CacheKeys

extension EntryName {
    /// Lends the three columns of the name; without a variant the last is empty.
    func withBlobs<Result, Failure: Error>(
        _ body: (
            _ uri: UnsafeRawBufferPointer, _ primary: UnsafeRawBufferPointer,
            _ variant: UnsafeRawBufferPointer
        ) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try uriKey.withUnsafeBytes { uri throws(Failure) in
            try primaryKey.withUnsafeBytes { primary throws(Failure) in
                guard let variantKey else {
                    return try body(uri, primary, UnsafeRawBufferPointer(start: nil, count: 0))
                }
                return try variantKey.withUnsafeBytes { variant throws(Failure) in
                    try body(uri, primary, variant)
                }
            }
        }
    }
}

extension EntryName? {
    /// Lends the columns; without a name all are empty, which sorts before every name.
    func withBlobs<Result, Failure: Error>(
        _ body: (
            _ uri: UnsafeRawBufferPointer, _ primary: UnsafeRawBufferPointer,
            _ variant: UnsafeRawBufferPointer
        ) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let self else {
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            return try body(nothing, nothing, nothing)
        }
        return try self.withBlobs(body)
    }
}
