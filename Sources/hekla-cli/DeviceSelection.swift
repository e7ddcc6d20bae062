import Hekla

/// The devices of this machine: the one place where the command asks which there are.
///
/// Until the runtime's device catalog takes its place, nothing is found here. Then `available` is its
/// survey, `device(named:)` its device of that name, and `Entry` its entry, with the same members.
enum DeviceSelection {
  /// A device that is there, or the reason why it is not.
  struct Entry: Sendable {
    var name: String
    var capabilities: Capabilities?
    var problem: DeviceError?
  }

  /// What is there and what is missing, the processor first.
  static func available() -> [Entry] { [] }

  /// The device that a person names; `auto` is the fastest real GPU, else `cpu`.
  static func device(named name: String) throws(DeviceError) -> any Device {
    throw .unknownDevice(name: name, known: available().filter { $0.problem == nil }.map(\.name))
  }
}
