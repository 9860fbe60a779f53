/// The request fields whose values are part of the key of a request that is answered by its content.
package enum KeyFields {
    /// What origins choose an answer to POST by, lower-case, in the order of the key.
    package static let standard = [
        "content-type", "content-encoding", "content-language", "accept", "accept-language",
        acceptEncoding, "origin",
    ]

    package static let acceptEncoding = "accept-encoding"
}
