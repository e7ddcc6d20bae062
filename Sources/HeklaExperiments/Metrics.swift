/// The numbers an experiment ends with, by name, such as `accuracy.ticket`.
public struct Metrics: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  /// The numbers by name.
  public private(set) var values: [String: Double]

  /// These numbers.
  public init(_ values: [String: Double] = [:]) { self.values = values }

  /// These numbers; of two with one name the last counts.
  public init(dictionaryLiteral elements: (String, Double)...) {
    values = Dictionary(elements, uniquingKeysWith: { _, last in last })
  }

  /// The mean of each number over those of `runs` that measured it.
  public init(meanOf runs: [Metrics]) {
    var totals: [String: (sum: Double, count: Int)] = [:]
    for (name, value) in runs.flatMap(\.values) {
      let total = totals[name, default: (0, 0)]
      totals[name] = (total.sum + value, total.count + 1)
    }
    values = totals.mapValues { $0.sum / Double($0.count) }
  }

  /// The number called `name`, or nil where it was not measured.
  public subscript(name: String) -> Double? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// Takes the numbers of `others` in; of two with one name theirs counts.
  public mutating func add(_ others: Metrics) { values.merge(others.values) { _, last in last } }

  /// The names, sorted.
  public var names: [String] { values.keys.sorted() }
}

extension Metrics: Codable {
  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads an object of numbers.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    values = [:]
    for name in container.allKeys {
      values[name.stringValue] = try container.decode(Double.self, forKey: name)
    }
  }

  /// Writes an object of numbers, sorted by name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    for name in names { try container.encode(values[name], forKey: Name(name)) }
  }
}
