import HTTPCaching
import HTTPTypes

/// The moment all tables count from: Sun, 06 Nov 1994 08:49:37 GMT.
let epoch: EpochSeconds = 784_111_777

/// Fields in the order given; a name that is none is left out.
func makeFields(_ lines: KeyValuePairs<String, String>) -> HTTPFields {
    var fields = HTTPFields()
    for (name, value) in lines {
        if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    return fields
}

/// `name: value` for each field, in order.
func linesOf(_ fields: HTTPFields) -> [String] {
    fields.map { $0.name.rawName + ": " + $0.value }
}

/// Judges an answer received at `epoch`, by default to a plain GET with status 200.
func judge(
    _ lines: KeyValuePairs<String, String>, status: Int = 200,
    request: RequestFacts = RequestFacts(method: .get), policy: StoragePolicy = StoragePolicy(),
    requestTime: EpochSeconds = epoch, responseTime: EpochSeconds = epoch,
    isCloseDelimited: Bool = false
) -> Result<StoragePlan, NoStoreReason> {
    Storability.decide(
        request: request, status: status, fields: makeFields(lines), policy: policy,
        requestTime: requestTime, responseTime: responseTime, isCloseDelimited: isCloseDelimited)
}

extension Result where Success == StoragePlan, Failure == NoStoreReason {
    /// Why not; nil when stored.
    var refusal: NoStoreReason? {
        if case .failure(let reason) = self { return reason }
        return nil
    }

    /// The terms; nil when not stored.
    var terms: ReuseTerms? { try? get().terms }

    /// Seconds of freshness at `epoch`; nil when not stored.
    var lifetime: Int64? { terms?.ttl(at: epoch) }
}
