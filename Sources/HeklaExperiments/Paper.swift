/// The paper an experiment repeats.
public struct Paper: Sendable, Hashable, Codable {
  /// The title as printed.
  public let title: String
  /// The authors as people cite them, such as `Frankle and Carbin`.
  public let authors: String
  /// The year it appeared.
  public let year: Int
  /// Where to find it, such as `arXiv:1803.03635` or `doi:10.1038/nature14236`.
  public let id: String

  /// The paper `title`.
  public init(_ title: String, by authors: String, year: Int, id: String) {
    self.title = title
    self.authors = authors
    self.year = year
    self.id = id
  }

  /// One line to cite it by.
  public var citation: String {
    let end = title.hasSuffix("?") || title.hasSuffix("!") ? "" : "."
    return "\(authors) (\(year)). \(title)\(end) \(id)"
  }

  /// The address of an arXiv or DOI identifier, or nil for others.
  public var address: String? {
    for (prefix, site) in [("arXiv:", "https://arxiv.org/abs/"), ("doi:", "https://doi.org/")]
    where id.hasPrefix(prefix) {
      return site + id.dropFirst(prefix.count)
    }
    return id.hasPrefix("https://") ? id : nil
  }
}
