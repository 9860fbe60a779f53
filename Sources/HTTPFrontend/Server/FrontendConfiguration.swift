package import CacheEngine

/// Settings of the HTTP front end.
///
/// Durations are whole seconds, measured by the loop's tick.
package struct FrontendConfiguration: Sendable {
    /// Which part of a request's content is kept in the file for people.
    package enum KeptContent: String, Sendable, CaseIterable {
        case off
        /// Only content that is valid UTF-8 text.
        case text
        case all
    }

    /// What a listener offers.
    package enum Service: Sendable {
        case proxy
        case cacheAPI(CacheAPISettings)
    }

    /// Authorities that are served, in normal form; empty serves every one, others get 421.
    package var hosts: Set<String> = []
    /// Lower-case names of credential fields besides the standard ones.
    package var credentialFields: [String] = []
    /// Lower-case names of fields that are part of the key of declared POST and QUERY.
    package var keyFields: [String] = []
    package var ignoresCredentials = false
    package var keptContent = KeptContent.text
    /// Bytes of request content that are kept for people.
    package var keptContentBytes = 64 << 10
    /// Content that is part of a key and larger than this passes through uncached.
    package var maxKeyBodyBytes = 64 << 20
    /// Content up to this is kept in memory, larger content in a file.
    package var memoryKeyBodyBytes = 1 << 20
    /// Where those files are, without a name.
    package var spoolDirectory = "."
    /// Bytes of all those files together.
    package var spoolBytes = 2 << 30
    package var maxTargetBytes = 8 << 10
    package var maxHeadBytes = 32 << 10
    package var maxFields = 100
    /// Open client connections; more are closed at once.
    package var maxConnections = 16_384
    /// From the first byte of a head, or from the start of a connection, to its end.
    package var headTimeout: Int64 = 10
    /// Without a byte of announced content.
    package var bodyTimeout: Int64 = 30
    package var keepAliveTimeout: Int64 = 60
    /// With an answer that the client does not take.
    package var writeTimeout: Int64 = 30
    package var routes: RouteTable
    package var service = Service.proxy
    /// Whether each exchange is logged.
    package var logsExchanges = false

    package init(routes: RouteTable) {
        self.routes = routes
    }
}
