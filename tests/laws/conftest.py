import gc

# Tracing makes and drops very many small objects; by default the garbage collector takes a tenth of the time here.
gc.set_threshold(200_000, 50, 100)
