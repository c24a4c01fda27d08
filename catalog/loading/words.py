"""The English words from which names in the example data are made."""

WORDS = tuple(
    """
    acorn alder amber anchor apple apron arch arrow ash aspen atlas autumn badge barley
    basil basin basket bay beacon bean bear beech bell bench berry birch bloom board bolt
    bonnet boot bottle bow bowl branch brass bread breeze brick bridge brook broom brush
    bucket button cabin cable camp candle canoe canvas cape cargo carpet castle cedar
    chain chalk cherry chest clay cliff cloak clock cloth cloud clover coast cobalt
    collar compass copper coral cord cork corner cotton cove cradle crane creek crown
    crystal cup curtain cushion daisy dawn deck denim desert dew dock dove drum dune dusk
    eagle ear earth east elm ember engine falcon feather felt fern ferry field finch fir
    flag flame flax fleece flint flower flute forest forge fox frame frost garden garnet
    gate ginger glade glass glove grain granite grape grass gravel grove gull hammer
    harbor harp harvest hat hawk hazel heath hedge heron hill hinge holly honey hood hook
    horizon horn indigo inlet iris iron island ivory ivy jacket jade jar juniper kettle
    key kite knot ladder lake lamp lantern lark laurel leaf leather ledge lemon light
    lily lime linen lion lock loft loom lotus magnet maple marble marsh meadow melon mill
    mint mirror mist moon moss mountain oak oar oat ocean olive onyx orchard otter oval
    owl paddle palm paper path pearl pebble pepper pillow pine plain plate plum pocket
    pond poplar poppy porch prairie quartz quill quilt rail rain raven reed ribbon ridge
    river robe robin rope rose saddle saffron sage sail salt sand satin shade shell shoe
    shore silk silver sky slate sleeve smoke snow spark spice spring spruce star steel
    stone storm straw stream sugar summer summit sun swan table tea thistle thread tide
    tiger timber tower trail tulip valley velvet vine violet walnut wave wheat willow
    wind window winter wolf wood wool wren yard yarn zinc
    """.split()
)
