import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// The part of a row that an answer is made of, body apart, in one buffer: what is bound, what the
/// head checksum covers, and on the way back what is verified before anything is believed.
///
/// Each part is prefixed by its length, so no two rows have the same image. The buffer is reused;
/// an image belongs to one connection.
struct RowImage {
    /// The text and blob columns, in the order of `Statements.put` and `Statements.find`.
    enum Part: Int, CaseIterable {
        case primaryKey, variantKey, uriKey, material, cacheName, method, scheme, authority
        case target, vary, reason, headers
    }

    /// The integer columns, in the same order, behind the parts.
    enum Number: Int, CaseIterable {
        case surface, recipe, status, requestTime, responseTime, date, bornAt, freshUntil
        case staleWhileRevalidateUntil, staleIfErrorUntil, flags, bodyChecksum, bodySize
    }

    private var buffer: [UInt8] = []
    private var ranges = [Range<Int>](repeating: 0..<0, count: Part.allCases.count)
    private(set) var numbers = [Int64](repeating: 0, count: Number.allCases.count)
    /// Part of the image only where there is one: the rows of older files have none.
    private(set) var reference: BodyReference?
    /// The same.
    private(set) var part: PartColumns?

    var checksum: Int64 { buffer.withUnsafeBytes { Checksum.of($0) } }

    func number(_ number: Number) -> Int64 { numbers[number.rawValue] }

    /// Lends the bytes of the parts for binding: statement and bytes end together.
    func withBytes<T>(_ body: ((Part) -> UnsafeRawBufferPointer) -> T) -> T {
        buffer.withUnsafeBytes { bytes in
            body { UnsafeRawBufferPointer(rebasing: bytes[ranges[$0.rawValue]]) }
        }
    }

    func string(_ part: Part) -> String {
        String(decoding: buffer[ranges[part.rawValue]], as: UTF8.self)
    }

    private mutating func begin() {
        buffer.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ part: Part, _ write: (inout [UInt8]) -> Void) {
        let prefix = buffer.count
        buffer.append(contentsOf: [0, 0, 0, 0])
        let start = buffer.count
        write(&buffer)
        ranges[part.rawValue] = start..<buffer.count
        let length = UInt32(truncatingIfNeeded: buffer.count - start).littleEndian
        withUnsafeBytes(of: length) { bytes in
            for (offset, byte) in bytes.enumerated() { buffer[prefix + offset] = byte }
        }
    }

    private mutating func appendNumbers() {
        for number in numbers {
            append(number)
        }
        // One is three numbers and the other two: no image can be taken for another.
        if let reference {
            append(reference.id.rawValue)
            append(reference.chunkCount)
            append(reference.chunkSize)
        }
        if let part {
            append(part.first)
            append(part.completeLength ?? -1)
        }
    }

    private mutating func append(_ number: Int64) {
        withUnsafeBytes(of: number.littleEndian) { buffer.append(contentsOf: $0) }
    }
}

extension RowImage {
    /// Makes the image of an entry on its way to the file.
    mutating func fill(_ entry: StoredEntry, bodyChecksum: Int64) {
        begin()
        let identity = entry.identity
        append(.primaryKey) { bytes in
            identity.primaryKey.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        append(.variantKey) { bytes in
            entry.variant.key?.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        append(.uriKey) { bytes in
            identity.uriKey.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        append(.material) { $0.append(contentsOf: identity.material) }
        append(.cacheName) { $0.append(contentsOf: identity.cacheName.utf8) }
        append(.method) { $0.append(contentsOf: identity.method.utf8) }
        append(.scheme) { $0.append(contentsOf: identity.scheme.utf8) }
        append(.authority) { $0.append(contentsOf: identity.authority.utf8) }
        append(.target) { $0.append(contentsOf: identity.target.utf8) }
        append(.vary) { VaryText.append(entry.variant.names, to: &$0) }
        append(.reason) { $0.append(contentsOf: entry.status.reasonPhrase.utf8) }
        append(.headers) { HeaderText.append(entry.fields, to: &$0) }
        setNumbers(entry, bodyChecksum: bodyChecksum)
        if let body = entry.body.chunks {
            reference = BodyReference(body)
        } else {
            reference = nil
        }
        part = entry.part.map { PartColumns($0) }
        appendNumbers()
    }

    private mutating func setNumbers(_ entry: StoredEntry, bodyChecksum: Int64) {
        let terms = entry.terms
        set(.surface, Int64(entry.identity.surface.rawValue))
        set(.recipe, Int64(entry.identity.recipe.rawValue))
        set(.status, Int64(entry.status.code))
        set(.requestTime, entry.requestTime)
        set(.responseTime, entry.responseTime)
        set(.date, terms.dateValue)
        set(.bornAt, terms.bornAt)
        set(.freshUntil, terms.freshUntil)
        set(.staleWhileRevalidateUntil, terms.staleWhileRevalidateUntil)
        set(.staleIfErrorUntil, terms.staleIfErrorUntil)
        set(.flags, Int64(terms.flags.rawValue))
        set(.bodyChecksum, bodyChecksum)
        set(.bodySize, entry.body.length)
    }

    private mutating func set(_ number: Number, _ value: Int64) {
        numbers[number.rawValue] = value
    }

    /// Copies a row of `Statements.find`; its columns start at `firstColumn`.
    mutating func fill(
        primaryKey: CacheKey, row: RawStatement, firstColumn: Int32
    ) {
        begin()
        append(.primaryKey) { bytes in
            primaryKey.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        var column = firstColumn
        for part in Part.allCases where part != .primaryKey {
            append(part) { $0.append(contentsOf: row.bytes(column)) }
            column += 1
        }
        for number in Number.allCases {
            set(number, row.integer(column))
            column += 1
        }
        // Behind the head's checksum.
        let (count, size, id) = (column + 1, column + 2, column + 3)
        reference =
            row.integer(count) == 0 && row.isNull(id)
            ? nil
            : BodyReference(
                id: BodyID(rawValue: row.integer(id)), chunkCount: row.integer(count),
                chunkSize: row.integer(size))
        part = PartColumns(row: row, firstColumn: column + 4)
        appendNumbers()
    }

    /// The entry that the image describes, or `nil` when something in it cannot be an answer.
    ///
    /// The checksum says that the row is as it was written; this says that it makes sense.
    func entry(
        for query: EntryQuery, variant: Variant, body: StoredBody
    ) -> StoredEntry? {
        guard let surface = UInt8(exactly: number(.surface)),
            let recipe = UInt8(exactly: number(.recipe)),
            let flags = UInt32(exactly: number(.flags)),
            (100...599).contains(number(.status)),
            Self.times.allSatisfy({ Self.plausibleTimes.contains(number($0)) }),
            withBytes({ Digest(bytes: $0(.uriKey)) }) == query.uriKey,
            withBytes({ $0(.material).elementsEqual(query.material) }),
            let fields = withBytes({ HeaderText.fields($0(.headers)) })
        else { return nil }
        let held = part.flatMap { $0.part(bodySize: number(.bodySize)) }
        // A 206 without a place in the whole, or a place without sense, is no answer.
        guard (part == nil) == (held == nil), (held != nil) == (number(.status) == 206) else {
            return nil
        }
        let identity = EntryIdentity(
            primaryKey: query.primaryKey, uriKey: query.uriKey, material: query.material,
            surface: Surface(rawValue: surface), cacheName: string(.cacheName),
            recipe: KeyRecipe(rawValue: recipe), method: string(.method), scheme: string(.scheme),
            authority: string(.authority), target: string(.target))
        let terms = ReuseTerms(
            dateValue: number(.date), bornAt: number(.bornAt), freshUntil: number(.freshUntil),
            staleWhileRevalidateUntil: number(.staleWhileRevalidateUntil),
            staleIfErrorUntil: number(.staleIfErrorUntil),
            flags: ReuseTerms.Flags(rawValue: flags))
        return StoredEntry(
            identity: identity, variant: variant,
            status: HTTPResponse.Status(
                code: Int(number(.status)), reasonPhrase: string(.reason)),
            fields: fields, body: body, part: held, terms: terms,
            requestTime: number(.requestTime), responseTime: number(.responseTime))
    }

    private static let times: [Number] = [
        .requestTime, .responseTime, .date, .bornAt, .freshUntil, .staleWhileRevalidateUntil,
        .staleIfErrorUntil,
    ]

    /// Wide enough for every lifetime, narrow enough that no sum of two overflows.
    private static let plausibleTimes: ClosedRange<Int64> = -(1 << 48)...(1 << 48)
}

/// The names a response varies by, as the text of a row: lower-case, joined by one space.
enum VaryText {
    static func append(_ names: [String], to bytes: inout [UInt8]) {
        for (index, name) in names.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: " ")) }
            bytes.append(contentsOf: name.utf8)
        }
    }

    /// The names, or `nil` when one of them is no field name.
    static func names(_ text: UnsafeRawBufferPointer) -> [String]? {
        guard !text.isEmpty else { return [] }
        var names: [String] = []
        for word in text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) {
            let name = String(decoding: word, as: UTF8.self)
            guard HTTPField.Name(name) != nil else { return nil }
            names.append(name)
        }
        return names
    }
}
