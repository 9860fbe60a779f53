package import CacheKeys
package import HTTPCaching
package import HTTPTypes
package import NIOCore

/// The readable parts of a request that name a stored response, kept beside the digests for
/// people, purging and the collision check of durable reads.
package struct EntryIdentity: Sendable, Equatable {
    package var primaryKey: CacheKey
    package var uriKey: URIKey
    /// The exact preimage of `primaryKey`: digests of body and credentials, never their text.
    package var material: [UInt8]
    package var surface: Surface
    package var cacheName: String
    package var recipe: KeyRecipe
    package var method: String
    package var scheme: String
    package var authority: String
    package var target: String

    package init(
        primaryKey: CacheKey, uriKey: URIKey, material: [UInt8], surface: Surface,
        cacheName: String, recipe: KeyRecipe, method: String, scheme: String, authority: String,
        target: String
    ) {
        self.primaryKey = primaryKey
        self.uriKey = uriKey
        self.material = material
        self.surface = surface
        self.cacheName = cacheName
        self.recipe = recipe
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.target = target
    }
}

/// Which of the stored responses of one key this is (RFC 9111 §4.1).
package struct Variant: Sendable, Equatable {
    /// Lower-case, sorted names of the fields that the response varies by.
    package var names: [String]
    /// Digest of the names and the request's values of them; `nil` without Vary.
    package var key: Digest?

    package static let none = Variant(names: [], key: nil)

    package init(names: [String], key: Digest?) {
        self.names = names
        self.key = key
    }
}

/// The content of a request, kept for people who read the file; never part of an answer.
package struct RequestContent: Sendable, Equatable {
    package var bytes: ByteBuffer
    package var isTruncated: Bool
    package var mediaType: String?

    package init(bytes: ByteBuffer, isTruncated: Bool, mediaType: String?) {
        self.bytes = bytes
        self.isTruncated = isTruncated
        self.mediaType = mediaType
    }
}

/// A stored response as plain values: what a row holds and what the durable tier gives back.
package struct StoredEntry: Sendable, Equatable {
    package var identity: EntryIdentity
    package var variant: Variant
    package var status: HTTPResponse.Status
    /// The fields to send, hop-by-hop fields removed, order and repetition as received.
    package var fields: HTTPFields
    package var body: StoredBody
    /// Which bytes of the representation the body is; `nil` for all of them.
    ///
    /// A part has status 206, and its fields are without Content-Range.
    package var part: RepresentationPart?
    package var terms: ReuseTerms
    /// When the request was sent and the response head received (RFC 9111 §4.2.3).
    package var requestTime: EpochSeconds
    package var responseTime: EpochSeconds
    /// Only on the way to the file; reads leave it out.
    package var requestContent: RequestContent?
    /// The fields of the request that a program put this for, as far as it varies by them and
    /// without credentials; only on the way to the file.
    package var requestFields: HTTPFields?

    package init(
        identity: EntryIdentity, variant: Variant, status: HTTPResponse.Status, fields: HTTPFields,
        body: StoredBody, part: RepresentationPart? = nil, terms: ReuseTerms,
        requestTime: EpochSeconds, responseTime: EpochSeconds,
        requestContent: RequestContent? = nil, requestFields: HTTPFields? = nil
    ) {
        self.identity = identity
        self.variant = variant
        self.status = status
        self.fields = fields
        self.body = body
        self.part = part
        self.terms = terms
        self.requestTime = requestTime
        self.responseTime = responseTime
        self.requestContent = requestContent
        self.requestFields = requestFields
    }
}

extension StoredEntry {
    /// How much of the representation is stored.
    package var extent: StoredExtent {
        part.map { .part($0) } ?? .whole(length: body.length)
    }

    /// The status that the whole would have: by it a part is judged (RFC 9111 §3.4).
    var statusOfWhole: Int { part == nil ? status.code : 200 }

    /// Bytes of the whole; `nil` when only a part is stored and nobody said.
    var completeLength: Int64? {
        guard let part else { return body.length }
        return part.completeLength
    }

    /// The cache groups of the response, each with its origin before it: groups of one name are the
    /// same on one origin only (RFC 9875 §2.1).
    ///
    /// What a program put is in the group of its cache, and of its tags.
    package var groups: [String] {
        guard identity.surface == .cacheAPI else {
            return identity.groups(CacheGroups.groups(in: fields))
        }
        return [EntryGroup.cache(identity.cacheName)]
            + CacheTags.tags(in: fields).map(EntryGroup.tag)
    }
}

/// The groups of what programs put; no origin is called like one.
package enum EntryGroup {
    private static let cachePrefix = "cache "

    /// All of a named cache: it is in no row, but in the rows' cache name.
    package static func cache(_ name: String) -> String { cachePrefix + escaped(name) }

    package static func tag(_ tag: String) -> String { "tag " + tag }

    /// The URLs of a path whatever their query, for what is on its way in.
    static func path(
        scheme: String, authority: String, target: String, in cacheName: String
    ) -> String {
        let path = String(target.utf8.prefix { $0 != UInt8(ascii: "?") }) ?? target
        return "path \(escaped(cacheName)) \(scheme)://\(authority)\(escaped(path))"
    }

    /// The named cache that is meant by a group.
    package static func cacheName(of group: String) -> String? {
        guard group.utf8.starts(with: cachePrefix.utf8) else { return nil }
        return unescaped(group.utf8.dropFirst(cachePrefix.utf8.count))
    }

    /// Groups are compared as strings: names that only look alike must not be alike.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 > 0x7E || $0 <= 0x20 || $0 == 0x25 }) else {
            return text
        }
        return text.utf8.reduce(into: "") { escaped, byte in
            if byte > 0x7E || byte <= 0x20 || byte == 0x25 {
                let digits = String(byte, radix: 16)
                escaped += digits.utf8.count == 1 ? "%0" + digits : "%" + digits
            } else {
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
    }

    private static func unescaped(_ text: some Sequence<UInt8>) -> String {
        var bytes: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte == 0x25, let high = iterator.next(), let low = iterator.next() else {
                bytes.append(byte)
                continue
            }
            bytes.append(
                UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) ?? byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension EntryIdentity {
    /// Group names with the origin before them.
    func groups(_ names: [String]) -> [String] {
        guard !names.isEmpty else { return [] }
        let origin = CacheGroups.origin(scheme: scheme, authority: authority)
        return names.map { "\(origin) \($0)" }
    }
}

/// An immutable stored response in memory, shared by every loop that answers with it.
package final class StoredResponse: Sendable {
    package let entry: StoredEntry
    /// The front end's prepared form of the head; opaque to the engine.
    package let rendering: ByteBuffer
    /// The URI's generation when the fill or the durable read began.
    package let generation: UInt64
    /// The group stamp of the same moment.
    package let groupStamp: UInt64
    /// The whole representation, if it is in memory: what nearly all hits are answered with.
    ///
    /// Beside `entry`, of which a hit would copy more than it needs.
    package let wholeBody: ByteBuffer?
    /// The cache groups it is invalidated with, each with its origin before it (RFC 9875).
    package let groups: [String]
    /// The file's epoch when this was written by us or read from it.
    package let epoch: UInt64
    /// Bytes this costs in memory, object overhead included.
    package let cost: Int

    package var primaryKey: CacheKey { entry.identity.primaryKey }
    package var uriKey: URIKey { entry.identity.uriKey }
    package var variant: Variant { entry.variant }
    package var terms: ReuseTerms { entry.terms }
    package var name: EntryName {
        EntryName(uriKey: uriKey, primaryKey: primaryKey, variantKey: variant.key)
    }

    package init(
        entry: StoredEntry, rendering: ByteBuffer, generation: UInt64, groupStamp: UInt64 = 0,
        epoch: UInt64
    ) {
        self.entry = entry
        self.rendering = rendering
        self.generation = generation
        self.groupStamp = groupStamp
        groups = entry.groups
        wholeBody = entry.part == nil ? entry.body.bytes : nil
        self.epoch = epoch
        self.cost = Self.cost(of: entry, rendering: rendering)
    }

    /// Measured on 64-bit Linux: object headers, the dictionary slot, the eviction node and about
    /// 48 bytes a field beside its text.
    ///
    /// Buffers count with all that they keep allocated.
    private static func cost(of entry: StoredEntry, rendering: ByteBuffer) -> Int {
        let fieldBytes = entry.fields.reduce(0) { $0 + 48 + $1.value.utf8.count }
        let identity = entry.identity
        let identityBytes =
            identity.material.count + identity.target.utf8.count + identity.authority.utf8.count
        let content = entry.requestContent?.bytes.storageCapacity ?? 0
        return 768 + fieldBytes + identityBytes + content + entry.body.memoryCost
            + rendering.storageCapacity
    }
}

/// Makes the prepared form of a stored response's head; implemented by the front end.
package protocol ResponseRenderer: Sendable {
    /// Called once per stored response, on any thread.
    func rendering(of entry: StoredEntry) -> ByteBuffer
}
