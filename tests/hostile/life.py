def run(options, h, tap):
    pass
