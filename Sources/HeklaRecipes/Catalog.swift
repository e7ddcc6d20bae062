import HeklaExperiments

/// The recipes that `hekla` knows, one line each.
public let catalog = RecipeCatalog([
  LotteryTicket.self,
  PFN.self,
])
