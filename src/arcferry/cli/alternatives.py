from arcferry.cli import options


def alternatives(
    *,
    location: options.LocationOption,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    features: options.FeaturesOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Set Microsoft peering beside private link, explicit proxies and the Arc gateway.

    For every name that Azure Arc uses at this location, and for those of the features that are wanted, which
    way carries it. For each way: what stays public with it, whether it needs the internet, whether it is
    generally available or a preview, what it costs by, what it cannot do, and Microsoft's own word, with its
    day. Needs no network.
    """
    from arcferry import catalog
    from arcferry.cli.output import show
    from arcferry.report import alternatives as report
    from arcferry.report import as_json, console

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    wanted = catalog.chosen_features(chosen, features or [])
    sheet = report.AlternativesView(chosen, region, wanted)
    show(
        output,
        table=lambda: report.draw(sheet, console.stdout()),
        document=lambda: report.document(sheet),
        lines=lambda: as_json.lines(report.document(sheet), *report.ROWS),
    )
