import HeklaArrays
import HeklaTensors

/// The parameters found by looking through a value's stored properties.
struct ModuleWalk {
  /// One parameter and where it was found.
  struct Entry {
    let path: String
    let parameter: Parameter
    let isTrained: Bool
  }

  private(set) var entries: [Entry] = []
  private var seenParameters: Set<Parameter> = []
  private var seenObjects: Set<ObjectIdentifier> = []

  init(_ root: any Module) { visit(root, at: "") }

  private mutating func visit(_ value: Any, at path: String) {
    switch value {
    case let parameter as Parameter: return add(parameter, at: path, isTrained: true)
    case let state as State: return add(state.parameter, at: path, isTrained: false)
    // Graphs and numbers can be large and hold no parameters of a module.
    case is Tensor, is HostArray, is [Float], is [Double], is [Int], is String: return
    default: break
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      for child in mirror.children { visit(child.value, at: path) }
    case .collection:
      for (index, child) in mirror.children.enumerated() {
        visit(child.value, at: path.appending(part: "\(index)"))
      }
    case .dictionary:
      let pairs = mirror.children.map { Mirror(reflecting: $0.value).children.map(\.value) }
      for pair in pairs.map({ (key: "\($0[0])", value: $0[1]) }).sorted(by: { $0.key < $1.key }) {
        visit(pair.value, at: path.appending(part: pair.key))
      }
    case .set:
      return
    case .class:
      // Other classes (executors, files) are no parts of a model; an object may lead back to itself.
      guard value is any Module, seenObjects.insert(ObjectIdentifier(value as AnyObject)).inserted else {
        return
      }
      let levels = Array(sequence(first: mirror, next: \.superclassMirror))
      for level in levels.reversed() { visit(level.children, at: path) }
    default:
      visit(mirror.children, at: path)
    }
  }

  private mutating func visit(_ children: Mirror.Children, at path: String) {
    for child in children {
      // The elements of an unlabeled tuple are called ".0", ".1", ...
      let label = child.label.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 } ?? ""
      visit(child.value, at: path.appending(part: label))
    }
  }

  private mutating func add(_ parameter: Parameter, at path: String, isTrained: Bool) {
    guard seenParameters.insert(parameter).inserted else { return }
    entries.append(Entry(path: path, parameter: parameter, isTrained: isTrained))
  }
}

extension String {
  /// This path and one more part, with a point between.
  fileprivate func appending(part: String) -> String {
    isEmpty ? part : part.isEmpty ? self : "\(self).\(part)"
  }
}
