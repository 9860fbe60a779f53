/// The bytes a digest is made of: two header bytes, then parts that cannot run into each other.
///
/// ```
/// preimage = version kind *part
/// part     = %x00                                ; absent
///          / %x01 length *OCTET                  ; present, possibly empty
///          / %x02 length *OCTET                  ; present, as a keyed digest of the value
/// length   = 4OCTET                              ; unsigned, most significant byte first
/// ```
/// Reading from the left takes such bytes apart in one way only, so parts that differ make bytes
/// that differ. Numbers are parts of a fixed width, most significant byte first.
struct Preimage: ~Copyable {
    /// What is named; two kinds never share a digest.
    enum Kind: UInt8 {
        case primary = 1
        case uri = 2
        case variant = 3
        case credentials = 4
    }

    private enum Tag {
        static let absent: UInt8 = 0
        static let present: UInt8 = 1
        static let keyed: UInt8 = 2
    }

    /// The version of this layout: a change of any rule above, or of a key's parts, raises it.
    static let version: UInt8 = 1

    private static let initialCapacity = 4 * 1_024
    // One request with outsized parts does not decide the memory of its event loop for ever.
    private static let keptCapacity = 256 * 1_024
    // Far above what a request's head may hold; past it there is no key.
    private static let maximumCount = 16 * 1_024 * 1_024

    /// False once a part could not be written as it was sent: the bytes name nothing then.
    private(set) var isUsable = false
    // Bytes 0..<count of the storage are written. Only `reserve` replaces it, and every write is
    // behind a `reserve`: one check a part, where an array would make five.
    private var storage: UnsafeMutableRawBufferPointer
    private var count = 0

    init() {
        storage = .allocate(byteCount: Self.initialCapacity, alignment: 1)
    }

    deinit { storage.deallocate() }

    /// Lends the bytes written since `begin`.
    borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: storage[..<count]))
    }

    /// Forgets everything and begins with the header.
    mutating func begin(_ kind: Kind) {
        if storage.count > Self.keptCapacity {
            storage.deallocate()
            storage = .allocate(byteCount: Self.initialCapacity, alignment: 1)
        }
        storage[0] = Self.version
        storage[1] = kind.rawValue
        count = 2
        isUsable = true
    }

    /// Forgets everything; what is there names nothing.
    mutating func discard() {
        count = 0
        isUsable = false
    }

    mutating func appendAbsent() {
        guard reserve(1) else { return }
        storage[count] = Tag.absent
        count += 1
    }

    mutating func append(_ text: String?) {
        if let text { append(text) } else { appendAbsent() }
    }

    /// Appends the UTF-8 bytes of `text` in place: no copy of a native string is made.
    mutating func append(_ text: String) {
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { utf8 in
            append(text: UnsafeRawBufferPointer(utf8))
        }
        if done == nil {
            // Only a string bridged from elsewhere comes here.
            [UInt8](text.utf8).withUnsafeBytes { append(text: $0) }
        }
    }

    mutating func append(_ digest: Digest?) {
        if let digest { append(digest) } else { appendAbsent() }
    }

    mutating func append(_ digest: Digest) {
        append(digest, tag: Tag.present)
    }

    /// Appends the keyed digest of a value in place of the value.
    mutating func append(keyed digest: Digest) {
        append(digest, tag: Tag.keyed)
    }

    mutating func append(_ number: some FixedWidthInteger & UnsignedInteger) {
        withUnsafeBytes(of: number.bigEndian) { append(raw: $0, tag: Tag.present) }
    }

    private mutating func append(_ digest: Digest, tag: UInt8) {
        if digest == .uncomputable { isUsable = false }
        digest.withUnsafeBytes { append(raw: $0, tag: tag) }
    }

    private mutating func append(text: UnsafeRawBufferPointer) {
        if Self.holdsReplacement(text) { isUsable = false }
        append(raw: text, tag: Tag.present)
    }

    private mutating func append(raw: UnsafeRawBufferPointer, tag: UInt8) {
        let header = 1 + MemoryLayout<UInt32>.size
        guard let length = UInt32(exactly: raw.count), reserve(header + raw.count) else {
            isUsable = false
            return
        }
        storage[count] = tag
        storage.storeBytes(of: length.bigEndian, toByteOffset: count + 1, as: UInt32.self)
        let start = count + header
        UnsafeMutableRawBufferPointer(rebasing: storage[start..<(start + raw.count)])
            .copyMemory(from: raw)
        count = start + raw.count
    }

    /// Makes room for `more` bytes behind those written; false when there cannot be so many.
    private mutating func reserve(_ more: Int) -> Bool {
        let (needed, isOverflow) = count.addingReportingOverflow(more)
        if isOverflow || needed > Self.maximumCount {
            isUsable = false
            return false
        }
        if needed <= storage.count { return true }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, min(storage.count * 2, Self.maximumCount)), alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
        storage.deallocate()
        storage = larger
        return true
    }

    /// Whether U+FFFD (EF BF BD) occurs: the HTTP decoder writes it over bytes it cannot read, so
    /// values that differed on the wire may be equal here.
    private static func holdsReplacement(_ text: UnsafeRawBufferPointer) -> Bool {
        let nonASCII: UInt64 = 0x8080_8080_8080_8080
        let width = MemoryLayout<UInt64>.size
        var offset = 0
        while text.count - offset >= width {
            let word = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word & nonASCII != 0 { break }
            offset += width
        }
        while text.count - offset >= 3 {
            if text[offset] == 0xEF, text[offset + 1] == 0xBF, text[offset + 2] == 0xBD {
                return true
            }
            offset += 1
        }
        return false
    }
}
