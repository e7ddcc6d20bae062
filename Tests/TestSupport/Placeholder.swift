// Placeholder until the first law checker lands.
