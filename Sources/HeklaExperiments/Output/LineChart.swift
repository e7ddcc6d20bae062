/// A plot of one or more series over a common axis, drawn as SVG.
public struct LineChart: Sendable {
  /// One measured place: a value and, where it was measured more than once, the range it fell into.
  public struct Point: Sendable, Equatable {
    /// Where along the horizontal axis.
    public var x: Double
    /// The value, such as a mean.
    public var y: Double
    /// The least and the greatest value, drawn as a bar; nil for a single measurement.
    public var range: ClosedRange<Double>?

    /// The point `(x, y)` whose values fell into `range`.
    public init(x: Double, y: Double, range: ClosedRange<Double>? = nil) {
      self.x = x
      self.y = y
      self.range = range
    }

    /// The mean of `values` at `x`, with the range from the least to the greatest.
    ///
    /// - Precondition: `values` is not empty and has no NaN.
    public init(x: Double, meanOf values: [Double]) {
      precondition(!values.isEmpty, "the mean of no values")
      let low = values.min() ?? 0
      let high = values.max() ?? 0
      self.init(x: x, y: values.reduce(0, +) / Double(values.count), range: low...high)
    }
  }

  /// Points under one name, joined by a line unless it says otherwise.
  public struct Series: Sendable, Equatable {
    /// What is drawn of the points.
    public enum Style: Sendable, Equatable {
      /// A line through them, and their ranges as bars.
      case line
      /// A line through them, and their ranges as one filled band.
      case band
      /// Their markers alone.
      case markers
    }

    /// What the legend calls it.
    public var name: String
    /// The points, in the order in which they are joined.
    public var points: [Point]
    /// What is drawn of them.
    public var style: Style

    /// The series `name` through `points`.
    public init(_ name: String, _ points: [Point], style: Style = .line) {
      self.name = name
      self.points = points
      self.style = style
    }

    /// The series `name` of `values` at 1, 2, 3, ..., such as the losses of a run's steps.
    public init(_ name: String, values: [Double]) {
      self.init(name, values.enumerated().map { Point(x: Double($0.offset + 1), y: $0.element) })
    }

    /// The series `name` of a metric's means and ranges over `runs`, at each place where a run measured it.
    ///
    /// - Parameters:
    ///   - name: What the legend calls it.
    ///   - places: Where along the horizontal axis.
    ///   - runs: What was measured, one element per repetition.
    ///   - metric: What the metric is called at a place.
    ///   - base: What is called so at a place is taken off, run by run; nil takes nothing off.
    public init(
      _ name: String, at places: some Sequence<Int>, of runs: [Metrics], metric: (Int) -> String,
      above base: ((Int) -> String)? = nil
    ) {
      let points = places.compactMap { place -> Point? in
        let values = runs.compactMap { run -> Double? in
          guard let base else { return run[metric(place)] }
          return run[metric(place)].flatMap { value in run[base(place)].map { value - $0 } }
        }
        return values.isEmpty ? nil : Point(x: Double(place), meanOf: values)
      }
      self.init(name, points)
    }

    /// The band `name` around the line through `y` at `x`.
    ///
    /// - Parameters:
    ///   - name: What the legend calls it.
    ///   - x: Where along the horizontal axis.
    ///   - y: The middle at each place.
    ///   - lower: Where the band begins, at each place.
    ///   - upper: Where it ends; there is no band where it is below `lower` or either is NaN.
    public init(_ name: String, band y: [Double], at x: [Double], lower: [Double], upper: [Double]) {
      let points = zip(zip(x, y), zip(lower, upper)).map { place, ends in
        Point(x: place.0, y: place.1, range: ends.0 <= ends.1 ? ends.0...ends.1 : nil)
      }
      self.init(name, points, style: .band)
    }
  }

  /// How an axis maps values to places.
  public struct Axis: Sendable, Equatable {
    /// How values are spread.
    public enum Scale: Sendable, Equatable {
      case linear
      /// Equal ratios take equal room; values that are not positive are left out.
      case logarithmic
    }

    /// What the axis shows, with its unit.
    public var title: String
    /// How values are spread.
    public var scale: Scale
    /// Whether values grow to the left or downwards.
    public var isReversed: Bool
    /// The values at the ends, or nil for what holds all points.
    public var range: ClosedRange<Double>?

    /// An axis called `title`.
    public init(
      _ title: String, scale: Scale = .linear, isReversed: Bool = false, range: ClosedRange<Double>? = nil
    ) {
      self.title = title
      self.scale = scale
      self.isReversed = isReversed
      self.range = range
    }
  }

  /// What the plot shows.
  public var title: String
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// What is drawn, the last on top.
  public var series: [Series]
  /// The width in pixels.
  public var width = 720
  /// The height in pixels.
  public var height = 440

  /// The plot of `series`.
  public init(_ title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }
}
