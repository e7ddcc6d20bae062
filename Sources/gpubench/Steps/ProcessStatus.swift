import Foundation

/// What Linux tells a process about itself; nil where it does not.
enum ProcessStatus {
  /// The bytes of memory that the process has in main memory.
  static var residentByteCount: Int? { field("VmRSS") }

  /// The most that it ever had, or had since `resetPeak`.
  static var peakResidentByteCount: Int? { field("VmHWM") }

  /// Lets the peak start anew, where that is allowed.
  static func resetPeak() {
    // Source: proc_pid_clear_refs(5).
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Foundation.Data("5".utf8))
    try? file.close()
  }

  /// How long ago the process was started, loading included, in whole milliseconds; right to ten.
  static var millisecondsSinceStart: Double? {
    // The command, which is in parentheses, may contain spaces. Source: proc_pid_stat(5).
    guard let text = text(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    // Field 22, the third being the first here.
    guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
    var now = timespec()
    guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
    let started = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    return ((Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 - started) * 1e3).rounded()
  }

  /// A line of the status such as `VmRSS:   1234 kB`, in bytes. Source: proc_pid_status(5).
  private static func field(_ name: String) -> Int? {
    let line = text(of: "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }

  private static func text(of path: String) -> String? {
    // Files there have no size, and are read to their end.
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
