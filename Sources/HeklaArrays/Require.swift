/// Stops the program with `message` when `condition` is false.
///
/// For the caller's own mistakes only (a wrong shape or type while a graph is built): the message names the
/// operation and the shapes, and the location is the caller's. What comes from outside the program (files,
/// devices, settings) is thrown instead. Unlike `precondition`, the message also appears in release builds.
@inlinable
package func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { stop(message(), file: file, line: line) }
}

/// Stops the program with `message`; see `require`.
@usableFromInline
package func stop(_ message: String, file: StaticString, line: UInt) -> Never {
  fatalError(message, file: file, line: line)
}
