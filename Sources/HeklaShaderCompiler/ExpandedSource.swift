import HeklaDevices

/// A shader with its includes put in place, ready for a compiler that knows no files.
///
/// `#line` directives carry the number of the file each line came from, so that `locate` can give the
/// compiler's messages their file names back.
struct ExpandedSource {
  /// The text, from `#version` on.
  private(set) var text = ""
  /// The files, by the numbers in the `#line` directives; the shader itself is number 0.
  private(set) var files: [String]

  private var onceOnly: Set<String> = []

  /// Expands `source`, asking `include` for headers and putting the defines after `#version`.
  ///
  /// - Throws: `DeviceError.compilation` for an include that is missing or includes itself.
  init(_ source: GLSLSource, include: (String) -> String?) throws(DeviceError) {
    files = ["\(source.name).comp"]
    var reader = LineReader(source.text)
    var lines: [String] = []
    // Only comments and blank lines may come before #version; everything else comes after the defines.
    while let line = reader.next() {
      lines.append(line)
      if line.directive("version") != nil { break }
    }
    guard reader.number > 0, lines.last?.directive("version") != nil else {
      throw DeviceError.compilation(
        kernel: source.name,
        log: "\(files[0]):1: error: there is no #version line. Start the shader with '#version 450'.")
    }
    for line in lines { append(line) }
    for (name, value) in source.defines.sorted(by: { $0.key < $1.key }) { append("#define \(name) \(value)") }
    append("#line \(reader.number + 1) 0")
    try expand(&reader, file: 0, stack: [], kernel: source.name, include: include)
  }

  private mutating func append(_ line: String) {
    text += line
    text += "\n"
  }

  private mutating func expand(
    _ reader: inout LineReader, file: Int, stack: [String], kernel: String, include: (String) -> String?
  ) throws(DeviceError) {
    while let line = reader.next() {
      guard !reader.isInsideComment, let argument = line.directive("include") else {
        append(line)
        continue
      }
      let place = "\(files[file]):\(reader.number)"
      guard let name = argument.quoted else {
        throw DeviceError.compilation(
          kernel: kernel, log: "\(place): error: write #include \"name\"; '\(line)' names no file.")
      }
      guard !stack.contains(name) else {
        let cycle = (stack.drop { $0 != name } + [name]).joined(separator: " -> ")
        throw DeviceError.compilation(
          kernel: kernel, log: "\(place): error: \"\(name)\" includes itself: \(cycle). Break the cycle.")
      }
      guard let header = include(name) else {
        throw DeviceError.compilation(
          kernel: kernel,
          log: "\(place): error: there is no header \"\(name)\". Check the name; headers have no folder part."
        )
      }
      if !onceOnly.contains(name) {
        files.append(name)
        append("#line 1 \(files.count - 1)")
        var inner = LineReader(header)
        try expand(&inner, file: files.count - 1, stack: stack + [name], kernel: kernel, include: include)
        if inner.sawPragmaOnce { onceOnly.insert(name) }
      }
      append("#line \(reader.number + 1) \(file)")
    }
  }

  /// The compiler's log with `ERROR: 3:17:` written as `name.glsl:17: error:`.
  ///
  /// Lines that only say that there were errors are left out.
  func locate(_ log: String) -> String {
    let lines = log.split(separator: "\n").compactMap { line -> String? in
      if line.contains("compilation terminated") || line.contains("No code generated.") { return nil }
      for (prefix, word) in [("ERROR: ", "error"), ("WARNING: ", "warning")] where line.hasPrefix(prefix) {
        let rest = line.dropFirst(prefix.count)
        let parts = rest.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        if parts.count == 3, let file = Int(parts[0]), let number = Int(parts[1]),
          files.indices.contains(file)
        {
          return "\(files[file]):\(number): \(word):\(parts[2])"
        }
        return "\(files[0]): \(word): \(rest)"
      }
      return String(line)
    }
    return lines.joined(separator: "\n")
  }
}

/// Reads a text line by line and knows which lines start inside a block comment.
private struct LineReader {
  /// The number of the line last read, from 1.
  private(set) var number = 0
  /// Whether the line last read starts inside a block comment.
  private(set) var isInsideComment = false
  /// Whether `#pragma once` was read.
  private(set) var sawPragmaOnce = false

  private var lines: ArraySlice<Substring>
  private var opensComment = false

  init(_ text: String) {
    lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }[...]
    if lines.last?.isEmpty == true { lines.removeLast() }
  }

  mutating func next() -> String? {
    guard let line = lines.popFirst() else { return nil }
    number += 1
    isInsideComment = opensComment
    opensComment = Self.endsInsideComment(line, startingInside: opensComment)
    if !isInsideComment, String(line).directive("pragma") == "once" { sawPragmaOnce = true }
    return String(line)
  }

  private static func endsInsideComment(_ line: Substring, startingInside: Bool) -> Bool {
    var inside = startingInside
    var rest = Substring(line).utf8
    while let first = rest.first {
      let second = rest.dropFirst().first
      if inside {
        if first == UInt8(ascii: "*"), second == UInt8(ascii: "/") {
          inside = false
          rest = rest.dropFirst()
        }
      } else if first == UInt8(ascii: "/"), second == UInt8(ascii: "/") {
        return false
      } else if first == UInt8(ascii: "/"), second == UInt8(ascii: "*") {
        inside = true
        rest = rest.dropFirst()
      }
      rest = rest.dropFirst()
    }
    return inside
  }
}

extension String {
  /// What follows `#name` on this line, trimmed, or nil when the line is something else.
  fileprivate func directive(_ name: String) -> Substring? {
    var rest = drop { $0 == " " || $0 == "\t" }
    guard rest.first == "#" else { return nil }
    rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
    guard rest.hasPrefix(name) else { return nil }
    rest = rest.dropFirst(name.count)
    guard rest.first.map({ !$0.isLetter && !$0.isNumber && $0 != "_" }) ?? true else { return nil }
    rest = rest.drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" || last == "\r" { rest = rest.dropLast() }
    return rest
  }
}

extension Substring {
  /// The text between the quotation marks this starts with, or nil where there are none.
  fileprivate var quoted: String? {
    guard first == "\"", let end = dropFirst().firstIndex(of: "\"") else { return nil }
    return String(self[index(after: startIndex)..<end])
  }
}
