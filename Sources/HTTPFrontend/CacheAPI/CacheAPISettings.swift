package import CacheKeys
package import HTTPCaching

/// Settings of the Cache API's listener.
package struct CacheAPISettings: Sendable {
    package var policy: PutPolicy
    /// What every request must present in Larder-Token; nil lets everybody in.
    package var token: SecretText?

    package init(policy: PutPolicy = PutPolicy(), token: SecretText? = nil) {
        self.policy = policy
        self.token = token
    }
}
