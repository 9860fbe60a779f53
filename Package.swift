// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    .enableUpcomingFeature("ExistentialAny"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    .enableUpcomingFeature("InternalImportsByDefault"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let structuredFields: Target.Dependency = .product(
    name: "StructuredFieldValues", package: "swift-http-structured-headers")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "larder",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "larder", targets: ["larder"]),
        .library(name: "LarderCache", targets: ["LarderCache"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-http-structured-headers", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // Pure: no I/O, no clock, no lock, no Foundation.
        .target(
            name: "HTTPCaching", dependencies: [httpTypes, structuredFields],
            exclude: ["README.md"]),
        .target(name: "CacheKeys", dependencies: ["CLibCrypto"]),
        // The engine and its ports.
        .target(
            name: "CacheEngine",
            dependencies: [
                "HTTPCaching", "CacheKeys", httpTypes, nioCore, nioPosix, logging,
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        // Adapters.
        .target(
            name: "Migrations", path: "Migrations",
            resources: [
                .embedInCode("0001_initial.sql"), .embedInCode("0002_large_bodies.sql"),
                .embedInCode("0003_stored_parts.sql"), .embedInCode("0004_named_caches.sql"),
            ]),
        .target(
            name: "SQLiteStore",
            dependencies: [
                "CacheEngine", "CacheKeys", "HTTPCaching", "Migrations", "CXXHash", httpTypes,
                nioCore,
                logging,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        .target(
            name: "OriginClient",
            dependencies: [
                "CacheEngine", "HTTPCaching", httpTypes, nioCore, nioPosix, nioHTTP1, nioSSL,
            ]),
        .target(
            name: "HTTPFrontend",
            dependencies: [
                "CacheEngine", "HTTPCaching", "CacheKeys", httpTypes, nioCore, nioPosix, nioHTTP1,
                logging, .product(name: "DequeModule", package: "swift-collections"),
            ]),
        // For Swift programs.
        .target(
            name: "LarderCache",
            dependencies: [
                "CacheEngine", "SQLiteStore", "HTTPCaching", "CacheKeys", httpTypes, nioCore,
                logging,
            ]),
        .executableTarget(
            name: "larder",
            dependencies: [
                "HTTPFrontend", "OriginClient", "SQLiteStore", "CacheEngine", "HTTPCaching",
                "CacheKeys", "CMalloc", httpTypes, nioCore, nioPosix, nioHTTP1, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .systemLibrary(
            name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CMalloc"),
        // Tests.
        .target(
            name: "CacheTestKit",
            dependencies: [
                "CacheEngine", "CacheKeys", "HTTPCaching", nioCore, nioPosix, nioHTTP1,
            ],
            path: "Tests/CacheTestKit"),
        .testTarget(name: "HTTPCachingTests", dependencies: ["HTTPCaching", httpTypes]),
        .testTarget(name: "CacheKeysTests", dependencies: ["CacheKeys", "CacheTestKit"]),
        .testTarget(
            name: "CacheEngineTests",
            dependencies: [
                "CacheEngine", "CacheKeys", "HTTPCaching", "CacheTestKit", httpTypes, nioCore,
                nioPosix, nioEmbedded, logging,
            ]),
        .testTarget(
            name: "SQLiteStoreTests",
            dependencies: [
                "SQLiteStore", "CacheEngine", "CacheKeys", "HTTPCaching", httpTypes, nioCore,
                logging,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "OriginClientTests",
            dependencies: [
                "OriginClient", "CacheEngine", httpTypes, nioCore, nioPosix, nioHTTP1, nioSSL,
            ]),
        .testTarget(
            name: "HTTPFrontendTests",
            dependencies: [
                "HTTPFrontend", "CacheEngine", "CacheKeys", "HTTPCaching", "CacheTestKit",
                httpTypes, nioCore, nioEmbedded, nioHTTP1, logging,
            ]),
        .testTarget(
            name: "LarderCacheTests",
            dependencies: [
                "LarderCache", "HTTPFrontend", "OriginClient", "SQLiteStore", "CacheEngine",
                "HTTPCaching", "CacheKeys", "CacheTestKit", httpTypes, nioCore, nioPosix, logging,
            ]),
        .testTarget(
            name: "LarderTests",
            dependencies: [
                "larder", "CacheTestKit", nioCore, nioPosix, nioHTTP1, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = settings
}
