// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who uses LarderCache need not fetch what its examples need.
let package = Package(
    name: "larder-examples",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "larder", path: ".."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    ],
    targets: [
        .executableTarget(
            name: "PostCachingWorker",
            dependencies: [
                .product(name: "LarderCache", package: "larder"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ])
    ]
)
