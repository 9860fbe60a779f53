/// Field lines in the order they stood on the wire, names in the letters they were sent in.
///
/// Reading a value ignores the case of its name, as HTTP does; nothing else is interpreted.
package struct WireFields: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var lines: [Line]

    package init(_ lines: [Line] = []) {
        self.lines = lines
    }

    /// All values of a name joined with `, `; `nil` when there is no such line.
    package subscript(name: String) -> String? {
        let found = values(name)
        return found.isEmpty ? nil : found.joined(separator: ", ")
    }

    /// The values of a name, one for each line.
    package func values(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return lines.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    package func contains(_ name: String) -> Bool {
        !values(name).isEmpty
    }

    package mutating func add(_ name: String, _ value: String) {
        lines.append(Line(name, value))
    }

    /// These lines and the others after them.
    package func adding(_ others: WireFields) -> WireFields {
        WireFields(lines + others.lines)
    }
}

extension WireFields: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Line($0.0, $0.1) })
    }
}

extension WireFields: CustomStringConvertible {
    package var description: String {
        lines.map { "\($0.name): \($0.value)\r\n" }.joined()
    }
}
